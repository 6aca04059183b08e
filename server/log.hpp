// The log: a line an event, to stderr.
#pragma once

#include "server/options/settings.hpp"

namespace deployd::server {

/// Puts --log-format and --log-level in force. Throws UsageError or ConfigurationError.
void configure_log(Settings const& settings);

}  // namespace deployd::server
