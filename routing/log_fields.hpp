// Lines of the log about one request.
#pragma once

#include <spdlog/common.h>

#include <string_view>

#include "routing/output.hpp"
#include "routing/request.hpp"
#include "routing/trace_context.hpp"

namespace deployd::routing {

/// While an object exists, every line that this thread logs gets these fields. It must not exist across a suspension,
/// since other requests then continue on the thread. The views must outlive it.
class LogFields {
 public:
  LogFields(std::string_view request_id, TraceContext trace) noexcept;
  ~LogFields();
  LogFields(LogFields const&) = delete;
  LogFields& operator=(LogFields const&) = delete;

  /// The fields of this thread, or null if there are none.
  static LogFields const* current() noexcept;

  std::string_view request_id() const noexcept { return request_id_; }
  TraceContext const& trace() const noexcept { return trace_; }

 private:
  std::string_view request_id_;
  TraceContext trace_;
};

/// Logs a line with the id of the request, and with its trace if it has one.
void log_about(Request const& request, Exchange& exchange, spdlog::level::level_enum level, std::string_view line);

}  // namespace deployd::routing
