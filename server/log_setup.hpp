// The log: a line an event, to stderr.
#pragma once

#include "server/options/settings.hpp"

namespace deployd::server {

/// Puts --log-format and --log-level in force. To be called before other threads log. Throws UsageError or
/// ConfigurationError.
void configure_log(Settings const& settings);

/// Puts another --log-level in force, at any time. Throws as `configure_log` does.
void reload_log_level(Settings const& settings);

/// Says how often lines that were held back have repeated. To be called every few seconds.
void report_repeated_lines();

}  // namespace deployd::server
