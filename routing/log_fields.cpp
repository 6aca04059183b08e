#include "routing/log_fields.hpp"

#include <spdlog/spdlog.h>

namespace deployd::routing {
namespace {

thread_local LogFields const* fields_of_thread = nullptr;

}  // namespace

LogFields::LogFields(std::string_view request_id, TraceContext trace) noexcept
    : request_id_(request_id), trace_(trace) {
  fields_of_thread = this;
}

LogFields::~LogFields() {
  fields_of_thread = nullptr;
}

LogFields const* LogFields::current() noexcept {
  return fields_of_thread;
}

void log_about(Request const& request, Exchange& exchange, spdlog::level::level_enum level, std::string_view line) {
  if (!spdlog::should_log(level)) return;
  LogFields const fields(exchange.request_id(request), trace_context(request));
  spdlog::log(level, "{}", line);
}

}  // namespace deployd::routing
