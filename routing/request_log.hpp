// Answers that say that the fault is the server's, and the lines of the log that say why.
#pragma once

#include <spdlog/common.h>

#include <string>
#include <string_view>

#include "routing/cors.hpp"
#include "routing/http_error.hpp"
#include "routing/output.hpp"
#include "routing/request.hpp"

namespace deployd::routing {

/// A 500 or 503 with its reason, which is for the log only.
struct ServerFault {
  HttpError error;
  std::string why;
  spdlog::level::level_enum level = spdlog::level::warn;
};

/// Answers with `fault.error` and an X-Request-Id, and logs the reason under that id.
void answer_fault(ServerFault const& fault, Request const& request, Moment const& moment, Exchange& exchange,
                  CorsPolicy const& cors);

/// Logs a line that bears the request's id, and its trace where it has one.
void log_about(Request const& request, Exchange& exchange, spdlog::level::level_enum level, std::string_view line);

}  // namespace deployd::routing
