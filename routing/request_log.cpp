#include "routing/request_log.hpp"

#include <spdlog/spdlog.h>

#include "routing/log_fields.hpp"

namespace deployd::routing {

void log_about(Request const& request, Exchange& exchange, spdlog::level::level_enum level, std::string_view line) {
  if (!spdlog::should_log(level)) return;
  LogFields const fields(exchange.request_id(request), trace_context(request));
  spdlog::log(level, "{}", line);
}

}  // namespace deployd::routing
