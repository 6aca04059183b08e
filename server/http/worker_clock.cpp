#include "server/http/worker_clock.hpp"

#include <fmt/chrono.h>

namespace deployd::server {

void HttpDate::render(std::chrono::sys_seconds second) noexcept {
  // The names are always English: those of strftime depend on the locale.
  fmt::format_to_n(text_.data(), text_.size(), "{:%a, %d %b %Y %H:%M:%S} GMT", second);
  second_begins_ = second;
  second_ends_ = second + std::chrono::seconds(1);
}

void WorkerClock::compare() noexcept {
  for (int tries = 0; tries < 3; ++tries) {
    auto const before = Clock::now();
    auto const system = std::chrono::system_clock::now();
    system_ahead_ = system.time_since_epoch() - before.time_since_epoch();
    // Otherwise the thread was preempted between the two reads.
    if (Clock::now() - before < std::chrono::microseconds(100)) return;
  }
}

}  // namespace deployd::server
