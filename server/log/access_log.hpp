// The access log: a line a request.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "routing/trace_context.hpp"

namespace deployd::server {

enum class AccessLog { off, json, text };

struct AccessEntry {
  std::chrono::system_clock::time_point time;
  std::string_view remote;  // address and port of the client, or "unix"
  std::string_view method;  // empty for a request that could not be read
  std::string_view target;  // as it was sent
  unsigned status;
  std::string_view subject;  // whose token it was; empty when nobody's
  std::string_view reason;   // of a 401; empty otherwise
  // From when the head of the request had arrived until the answer was complete, which does not mean sent.
  std::chrono::nanoseconds duration;
  std::uint64_t bytes_sent;  // the size of the answer with its head
  std::string_view user_agent;
  std::string_view request_id;
  routing::TraceContext trace;
};

/// Appends one line, with its line feed. What clients sent is escaped, so that an entry is always one line, and what
/// looks like a secret in it is left out.
void append_access_line(std::string& out, AccessLog format, AccessEntry const& entry);

/// The peer of a connected socket, as it stands in the log.
std::string remote_address(int socket);

}  // namespace deployd::server
