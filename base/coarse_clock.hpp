// A fast clock for the hot path.
#pragma once

#include <time.h>

#include <chrono>

namespace deployd::base {

/// Returns the time of the steady clock, at most a few milliseconds late. Costs one read from memory.
inline std::chrono::steady_clock::time_point coarse_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::chrono::steady_clock::time_point(std::chrono::seconds(now.tv_sec) +
                                               std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace deployd::base
