#include "server/log_output.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <mutex>

namespace deployd::server {
namespace {

// How long a reader of the log, as the pipe of a supervisor, may hold everything up before lines are lost to it.
constexpr int patience_ms = 1000;

class LogOutput {
 public:
  void write(std::string_view lines) noexcept {
    std::scoped_lock const lock(mutex_);
    auto const rest = write_some(lines);
    // A line that lacks nothing but its end gets that before the next one.
    auto const lost = rest.starts_with('\n') ? rest.substr(1) : rest;
    auto const count = static_cast<std::uint64_t>(std::ranges::count(lost, '\n'));
    lost_.count += count;
    lost_in_all_ += count;
  }

  void tell(std::string_view line, LostLines const& told) noexcept {
    std::scoped_lock const lock(mutex_);
    if (write_some(line).empty()) lost_.count -= told.count;
  }

  LostLines lost() noexcept {
    std::scoped_lock const lock(mutex_);
    return lost_;
  }

  std::uint64_t lost_in_all() noexcept {
    std::scoped_lock const lock(mutex_);
    return lost_in_all_;
  }

 private:
  /// What could not be written of these lines.
  std::string_view write_some(std::string_view lines) noexcept {
    if (in_a_line_ && !write_bytes("\n").empty()) return lines;
    auto const rest = write_bytes(lines);
    auto const written = lines.substr(0, lines.size() - rest.size());
    in_a_line_ = !written.empty() && written.back() != '\n';
    return rest;
  }

  std::string_view write_bytes(std::string_view bytes) noexcept {
    while (!bytes.empty()) {
      if (!is_read()) {
        lost_.error = EAGAIN;
        break;
      }
      // So much a pipe that can be written to takes at once.
      auto const written = ::write(STDERR_FILENO, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
      if (written >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        lost_.error = errno;
        break;
      }
    }
    return bytes;
  }

  /// Whether the next write will not have to wait. A reader that has stopped is waited for once.
  bool is_read() noexcept {
    pollfd waiting{STDERR_FILENO, POLLOUT, 0};
    int ready = 0;
    do {
      ready = ::poll(&waiting, 1, stopped_ ? 0 : patience_ms);
    } while (ready < 0 && errno == EINTR);
    stopped_ = ready == 0;
    return !stopped_;
  }

  std::mutex mutex_;
  LostLines lost_;
  std::uint64_t lost_in_all_ = 0;
  bool in_a_line_ = false;  // the last line was cut
  bool stopped_ = false;    // nobody reads the log, it seems
};

LogOutput& output() noexcept {
  static LogOutput output;
  return output;
}

}  // namespace

void write_log(std::string_view lines) noexcept {
  output().write(lines);
}

void tell_of_lost_lines(std::string_view line, LostLines const& told) noexcept {
  output().tell(line, told);
}

LostLines lost_lines() noexcept {
  return output().lost();
}

std::uint64_t lines_lost_in_all() noexcept {
  return output().lost_in_all();
}

}  // namespace deployd::server
