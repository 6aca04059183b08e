// The trace of a request (W3C Trace Context, https://www.w3.org/TR/trace-context/).
#pragma once

#include <optional>
#include <string_view>

#include "routing/request.hpp"

namespace deployd::routing {

/// Views into a traceparent field. deployd starts no span of its own: `parent_id` is the caller's.
struct TraceContext {
  std::string_view trace_id;   // 32 lowercase hexadecimal digits, not all zero
  std::string_view parent_id;  // 16 such digits
};

/// Parses a traceparent as defined by §3.2. Returns nothing if it is invalid.
std::optional<TraceContext> parse_traceparent(std::string_view value) noexcept;

/// Returns the trace context of a request; both views are empty if it has no valid one.
TraceContext trace_context(Request const& request) noexcept;

}  // namespace deployd::routing
