// The output of the log: stderr, which journald reads. The access log uses it too, unless it has a file of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace deployd::server {

/// Lines that could not be written since the start.
struct LostLines {
  std::uint64_t count = 0;
  int error = 0;  // why the last of them was lost, as errno
};

/// Writes whole lines, one after the other. Safe to use from any thread.
///
/// Lines that cannot be written, for example because the disk is full or the reader of a pipe has stopped for a second,
/// are dropped and counted. The next line that can be written begins on a new line.
class LogOutput {
 public:
  /// Writes to `descriptor`, which is not owned.
  explicit LogOutput(int descriptor) noexcept;

  void write(std::string_view lines) noexcept;

  /// Writes a line that is not counted if it is lost. Returns false in that case.
  bool try_to_write(std::string_view line) noexcept;

  /// Writes to another descriptor from now on. The old one is no longer in use when this returns.
  void turn_to(int descriptor) noexcept;

  LostLines lost() noexcept;

 private:
  std::string_view write_some(std::string_view lines) noexcept;
  std::string_view write_bytes(std::string_view bytes) noexcept;
  bool is_read() noexcept;

  std::mutex mutex_;
  int descriptor_;
  std::size_t most_at_once_;
  LostLines lost_;
  bool in_a_line_ = false;  // the last line was cut
  bool stopped_ = false;    // the reader of the log seems to have stopped
};

/// Returns the output to stderr.
LogOutput& log_output() noexcept;

}  // namespace deployd::server
