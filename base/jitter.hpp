// Pauses that are not the same everywhere.
#pragma once

#include <chrono>
#include <random>

namespace deployd::base {

/// Half of `time` to all of it, so that many servers do not come back at the same moment.
inline std::chrono::milliseconds jittered(std::chrono::milliseconds time) {
  thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<std::chrono::milliseconds::rep> pause(time.count() / 2, time.count());
  return std::chrono::milliseconds(pause(random));
}

}  // namespace deployd::base
