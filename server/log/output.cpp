#include "server/log/output.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <limits>

namespace deployd::server {
namespace {

// How long a reader of the log, such as the pipe of a supervisor, may block the program before lines are lost.
constexpr int patience_ms = 1000;

/// Returns how many bytes to write at once: what a writable pipe accepts without waiting. A file accepts everything, so
/// that lines of two processes that append to it are not mixed.
std::size_t most_at_once(int descriptor) noexcept {
  struct stat status {};
  bool const is_file = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  return is_file ? std::numeric_limits<std::size_t>::max() : PIPE_BUF;
}

}  // namespace

LogOutput::LogOutput(int descriptor) noexcept : descriptor_(descriptor), most_at_once_(most_at_once(descriptor)) {}

void LogOutput::write(std::string_view lines) noexcept {
  std::scoped_lock const lock(mutex_);
  auto const rest = write_some(lines);
  // If only the line feed of a line is missing, it is written before the next line.
  auto const lost = rest.starts_with('\n') ? rest.substr(1) : rest;
  lost_.count += static_cast<std::uint64_t>(std::ranges::count(lost, '\n'));
}

bool LogOutput::try_to_write(std::string_view line) noexcept {
  std::scoped_lock const lock(mutex_);
  return write_some(line).empty();
}

void LogOutput::turn_to(int descriptor) noexcept {
  std::scoped_lock const lock(mutex_);
  descriptor_ = descriptor;
  most_at_once_ = most_at_once(descriptor);
  in_a_line_ = false;
  stopped_ = false;
}

LostLines LogOutput::lost() noexcept {
  std::scoped_lock const lock(mutex_);
  return lost_;
}

/// Returns the lines that could not be written.
std::string_view LogOutput::write_some(std::string_view lines) noexcept {
  if (in_a_line_ && !write_bytes("\n").empty()) return lines;
  auto const rest = write_bytes(lines);
  auto const written = lines.substr(0, lines.size() - rest.size());
  in_a_line_ = !written.empty() && written.back() != '\n';
  return rest;
}

std::string_view LogOutput::write_bytes(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    if (!is_read()) {
      lost_.error = EAGAIN;
      break;
    }
    auto const written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), most_at_once_));
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      lost_.error = errno;
      break;
    }
  }
  return bytes;
}

/// True if the next write will not block. Waits once for a reader that has stopped.
bool LogOutput::is_read() noexcept {
  pollfd waiting{descriptor_, POLLOUT, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, stopped_ ? 0 : patience_ms);
  } while (ready < 0 && errno == EINTR);
  stopped_ = ready == 0;
  return !stopped_;
}

LogOutput& log_output() noexcept {
  static LogOutput output(STDERR_FILENO);
  return output;
}

}  // namespace deployd::server
