// Which of the two forms of metrics a client wants.
#pragma once

#include <string_view>

#include "routing/metrics_source.hpp"

namespace deployd::routing {

/// Chooses by a value of Accept (RFC 9110 §12.5.1): OpenMetrics where it is named, in version 1.0.0, 0.0.1 or none, and
/// wanted at least as much as text/plain. What is not understood counts as no wish.
MetricsFormat choose_metrics_format(std::string_view accept) noexcept;

std::string_view content_type(MetricsFormat format) noexcept;

}  // namespace deployd::routing
