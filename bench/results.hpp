// The results of a run.
#pragma once

#include <chrono>

#include "bench/tally.hpp"
#include "bench/time_series.hpp"

namespace deployd::bench {

struct Results {
  Tally tally;
  TimeSeries series;
  std::chrono::nanoseconds duration{};         // of the counted part
  double generator_cpu = 0;                    // 0 to 1: share of the available cores used by the generator's threads
  bool interrupted = false;                    // stopped early by a signal
  bool gave_up = false;                        // stopped early because the server was unreachable
  std::chrono::system_clock::time_point when;  // start of the run

  /// Correct responses per second.
  double rate() const noexcept {
    auto const seconds = std::chrono::duration<double>(duration).count();
    return seconds > 0 ? static_cast<double>(tally.right) / seconds : 0;
  }
};

/// Above this share of CPU the generator measures itself rather than the server.
inline constexpr double generator_limit = 0.95;

}  // namespace deployd::bench
