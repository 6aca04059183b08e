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

/// Collects the lines of one worker, so that many lines need only one write. Holds at most `flush_size` bytes and one
/// line. For one thread.
class AccessLogBuffer {
 public:
  static constexpr std::size_t flush_size = std::size_t{64} << 10;

  explicit AccessLogBuffer(AccessLog format) noexcept : format_(format) {}

  bool enabled() const noexcept { return format_ != AccessLog::off; }

  /// Appends a line, and writes all lines if they exceed the limit. Throws std::bad_alloc, in which case the line is
  /// lost.
  void append(AccessEntry const& entry);

  /// Writes the buffered lines. Must be called a few times per second.
  void flush() noexcept;

 private:
  AccessLog format_;
  std::string lines_;
};

/// Returns the peer of a connected socket in the format of the log.
std::string remote_address(int socket);

}  // namespace deployd::server
