#include "routing/log_fields.hpp"

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

}  // namespace deployd::routing
