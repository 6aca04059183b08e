// Buffers lines of the access log until they are written.
#pragma once

#include <string>

#include "server/log/access_log.hpp"

namespace deployd::server {

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

}  // namespace deployd::server
