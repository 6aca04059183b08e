// Where the lines of the log go: stderr, so that journald takes them; and those of the access log, unless they have a
// file of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace deployd::server {

/// Lines that could not be written and of which nothing has been said yet.
struct LostLines {
  std::uint64_t count = 0;
  int error = 0;  // why the last of them was lost, as errno
};

/// Where whole lines are written to, one after the other. Any thread.
///
/// Lines for which there is no room, as on a full disk or in a pipe whose reader has stopped for a second, are dropped
/// and counted; the next that can be written begins on a line of its own.
class LogOutput {
 public:
  /// Writes to `descriptor`, which is not owned.
  explicit LogOutput(int descriptor) noexcept;

  void write(std::string_view lines) noexcept;

  /// The same for a line that tells of `told`, which are done with then; where it cannot be written either, they are
  /// not.
  void tell(std::string_view line, LostLines const& told) noexcept;

  /// Writes to another descriptor from now on. The old one is not in use any more when this returns.
  void turn_to(int descriptor) noexcept;

  LostLines lost() noexcept;
  /// The same, which are done with then.
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
  bool stopped_ = false;    // nobody reads the log, it seems
};

// Stderr:

/// Writes whole lines, not broken into by those of other threads.
void write_log(std::string_view lines) noexcept;

/// The same for a line that tells of `told`, which are done with then; where it cannot be written either, they are not.
void tell_of_lost_lines(std::string_view line, LostLines const& told) noexcept;

LostLines lost_lines() noexcept;

/// How many lines have been lost since the start, told of or not.
std::uint64_t lines_lost_in_all() noexcept;

}  // namespace deployd::server
