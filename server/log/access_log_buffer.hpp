// Lines of the access log that wait to be written.
#pragma once

#include <string>

#include "server/log/access_log.hpp"

namespace deployd::server {

/// Collects the lines of one worker, so that they cost a write for many of them. Holds at most `flush_size` bytes and a
/// line. For one thread.
class AccessLogBuffer {
 public:
  static constexpr std::size_t flush_size = std::size_t{64} << 10;

  explicit AccessLogBuffer(AccessLog format) noexcept : format_(format) {}

  bool enabled() const noexcept { return format_ != AccessLog::off; }

  /// Appends a line, and writes all of them when they have become long. Throws std::bad_alloc, and has lost the line
  /// then.
  void append(AccessEntry const& entry);

  /// Writes what is there: to be called a few times a second.
  void flush() noexcept;

 private:
  AccessLog format_;
  std::string lines_;
};

}  // namespace deployd::server
