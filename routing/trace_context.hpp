// The trace that a request is part of (W3C Trace Context, https://www.w3.org/TR/trace-context/).
#pragma once

#include <optional>
#include <string_view>

#include "routing/request.hpp"

namespace deployd::routing {

/// Views of a traceparent field. deployd starts no span of its own: `parent_id` is the caller's.
struct TraceContext {
  std::string_view trace_id;   // 32 lowercase hexadecimal digits, not all zero
  std::string_view parent_id;  // 16 of them
};

/// Reads a traceparent by §3.2; nothing for one that is not valid.
std::optional<TraceContext> parse_traceparent(std::string_view value) noexcept;

/// That of a request; both empty when it has no valid one.
TraceContext trace_context(Request const& request) noexcept;

}  // namespace deployd::routing
