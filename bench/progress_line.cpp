#include "bench/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "bench/report.hpp"

namespace deployd::bench {

ProgressLine::ProgressLine(Options const& options) : options_(options), terminal_(isatty(STDERR_FILENO) == 1) {}

std::chrono::milliseconds ProgressLine::period() const noexcept {
  return std::chrono::milliseconds(terminal_ ? 200 : 1000);
}

void ProgressLine::show(Standing const& standing) {
  auto const elapsed = std::chrono::duration<double>(standing.elapsed).count();
  std::string line;
  if (standing.elapsed.count() < 0) {
    line = fmt::format("warming up, {:.1f} s to go", -elapsed);
  } else {
    auto const since = std::chrono::duration<double>(standing.elapsed - shown_at_).count();
    auto const rate = since > 0 ? static_cast<double>(standing.right - shown_right_) / since : 0.0;
    shown_at_ = standing.elapsed;
    shown_right_ = standing.right;
    auto const whole =
        options_.requests
            ? fmt::format("{} of {} requests", readable(standing.right + standing.errors), readable(*options_.requests))
            : fmt::format("{:.1f} s of {:g} s", elapsed, std::chrono::duration<double>(options_.duration).count());
    line = fmt::format("{}: {} right a second, {} errors", whole, readable(static_cast<std::uint64_t>(rate)),
                       readable(standing.errors));
    if (options_.rate) line += fmt::format(", {} late", readable(standing.late));
  }
  fmt::print(stderr, "{}{}{}", terminal_ ? "\r\x1b[K" : "", line, terminal_ ? "" : "\n");
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (terminal_) fmt::print(stderr, "\r\x1b[K");
}

}  // namespace deployd::bench
