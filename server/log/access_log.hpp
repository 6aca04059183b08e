// The access log: one line per request.
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
  std::string_view method;  // empty for a request that could not be parsed
  std::string_view target;  // as received
  unsigned status;
  std::string_view subject;  // owner of the token; empty without a valid token
  std::string_view reason;   // of a 401; otherwise empty
  // From the arrival of the complete request head until the response was complete, but not necessarily sent.
  std::chrono::nanoseconds duration;
  std::uint64_t bytes_sent;  // size of the response, including its head
  std::string_view user_agent;
  std::string_view request_id;
  routing::TraceContext trace;
};

/// Appends one line, including its line feed. Text from clients is escaped, so that an entry is always one line, and
/// text that looks like a secret is removed.
void append_access_line(std::string& out, AccessLog format, AccessEntry const& entry);

/// Returns the peer of a connected socket in the format of the log.
std::string remote_address(int socket);

}  // namespace deployd::server
