// Lines of the log about one request.
#pragma once

#include <spdlog/common.h>

#include <string_view>

#include "routing/output.hpp"
#include "routing/request.hpp"

namespace deployd::routing {

/// Logs a line with the id of the request, and with its trace if it has one.
void log_about(Request const& request, Exchange& exchange, spdlog::level::level_enum level, std::string_view line);

}  // namespace deployd::routing
