// The output of the log: stderr, which journald reads. The access log uses it too, unless it has a file of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace deployd::server {

/// Lines that could not be written and have not been reported yet.
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

  /// Writes a line that reports `told`, which then count as reported. If the line cannot be written either, they do
  /// not.
  void tell(std::string_view line, LostLines const& told) noexcept;

  /// Writes to another descriptor from now on. The old one is no longer in use when this returns.
  void turn_to(int descriptor) noexcept;

  LostLines lost() noexcept;
  /// Returns the lost lines and marks them as reported.
  LostLines take_lost() noexcept;
  std::uint64_t lost_in_all() noexcept;

 private:
  std::string_view write_some(std::string_view lines) noexcept;
  std::string_view write_bytes(std::string_view bytes) noexcept;
  bool is_read() noexcept;

  std::mutex mutex_;
  int descriptor_;
  std::size_t most_at_once_;
  LostLines lost_;
  std::uint64_t lost_in_all_ = 0;
  bool in_a_line_ = false;  // the last line was cut
  bool stopped_ = false;    // the reader of the log seems to have stopped
};

// Stderr:

/// Writes whole lines that are not interrupted by those of other threads.
void write_log(std::string_view lines) noexcept;

/// Writes a line that reports `told`, which then count as reported. If the line cannot be written either, they do not.
void tell_of_lost_lines(std::string_view line, LostLines const& told) noexcept;

LostLines lost_lines() noexcept;

/// Returns the number of lines lost since the start, reported or not.
std::uint64_t lines_lost_in_all() noexcept;

}  // namespace deployd::server
