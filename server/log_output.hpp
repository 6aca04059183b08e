// Where the lines of the log and of the access log go: stderr, so that journald takes them.
#pragma once

#include <cstdint>
#include <string_view>

namespace deployd::server {

/// Lines that could not be written and of which nothing has been said yet.
struct LostLines {
  std::uint64_t count = 0;
  int error = 0;  // why the last of them was lost, as errno
};

/// Writes whole lines, not broken into by those of other threads. Lines for which there is no room, as on a full disk
/// or in a pipe whose reader has stopped for a second, are dropped and counted; the next that can be written begins on
/// a line of its own. Any thread.
void write_log(std::string_view lines) noexcept;

/// The same for a line that tells of `told`, which are done with then; where it cannot be written either, they are not.
void tell_of_lost_lines(std::string_view line, LostLines const& told) noexcept;

LostLines lost_lines() noexcept;

/// How many lines have been lost since the start, told of or not.
std::uint64_t lines_lost_in_all() noexcept;

}  // namespace deployd::server
