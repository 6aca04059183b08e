// The time for the hot path.
#pragma once

#include <time.h>

#include <chrono>

namespace deployd::base {

/// The steady clock, a few milliseconds late at most, for the price of a look into memory.
inline std::chrono::steady_clock::time_point coarse_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::chrono::steady_clock::time_point(std::chrono::seconds(now.tv_sec) +
                                               std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace deployd::base
