// Configures the log on stderr, which has one line per event.
#pragma once

#include "server/options/settings.hpp"

namespace deployd::server {

/// Applies --log-format and --log-level. Must be called before other threads log. Throws UsageError or
/// ConfigurationError.
void configure_log(Settings const& settings);

/// Applies a new --log-level, at any time. Throws the same exceptions as `configure_log`.
void reload_log_level(Settings const& settings);

}  // namespace deployd::server
