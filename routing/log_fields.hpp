// Which request a line of the log is about.
#pragma once

#include <string_view>

#include "routing/trace_context.hpp"

namespace deployd::routing {

/// While it lives, every line that this thread logs bears these fields. Not to be kept over a suspension: other
/// requests go on then. The views must outlive it.
class LogFields {
 public:
  LogFields(std::string_view request_id, TraceContext trace) noexcept;
  ~LogFields();
  LogFields(LogFields const&) = delete;
  LogFields& operator=(LogFields const&) = delete;

  /// Those of this thread; null when there are none.
  static LogFields const* current() noexcept;

  std::string_view request_id() const noexcept { return request_id_; }
  TraceContext const& trace() const noexcept { return trace_; }

 private:
  std::string_view request_id_;
  TraceContext trace_;
};

}  // namespace deployd::routing
