// Selects one of the two formats of metrics.
#pragma once

#include <string_view>

#include "routing/metrics_source.hpp"

namespace deployd::routing {

/// Selects a format by the value of Accept (RFC 9110 §12.5.1): OpenMetrics if it is listed with version 1.0.0, 0.0.1 or
/// none, and with at least the quality of text/plain. Values that cannot be parsed are ignored.
MetricsFormat choose_metrics_format(std::string_view accept) noexcept;

std::string_view content_type(MetricsFormat format) noexcept;

}  // namespace deployd::routing
