// Randomised pauses.
#pragma once

#include <chrono>
#include <random>

namespace deployd::base {

/// Returns a random time between half of `time` and `time`, so that many servers do not retry at the same moment.
inline std::chrono::milliseconds jittered(std::chrono::milliseconds time) {
  thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<std::chrono::milliseconds::rep> pause(time.count() / 2, time.count());
  return std::chrono::milliseconds(pause(random));
}

}  // namespace deployd::base
