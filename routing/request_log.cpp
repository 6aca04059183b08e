#include "routing/server_fault.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "routing/log_fields.hpp"
#include "routing/rendered_answer.hpp"

namespace deployd::routing {

void log_about(Request const& request, Exchange& exchange, spdlog::level::level_enum level, std::string_view line) {
  if (!spdlog::should_log(level)) return;
  LogFields const fields(exchange.request_id(request), trace_context(request));
  spdlog::log(level, "{}", line);
}

void answer_fault(ServerFault const& fault, Request const& request, Moment const& moment, Exchange& exchange,
                  CorsPolicy const& cors) {
  log_about(request, exchange, fault.level, fmt::format("a request is answered {}: {}", fault.error.status, fault.why));
  append_error(exchange.output(), fault.error, request, moment, cors,
               fmt::format("X-Request-Id: {}\r\n", exchange.request_id(request)));
  exchange.note(fault.error.status, {});
}

}  // namespace deployd::routing
