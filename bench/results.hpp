// What a run found.
#pragma once

#include <chrono>
#include <string>

#include "bench/machine.hpp"
#include "bench/tally.hpp"
#include "bench/time_series.hpp"

namespace deployd::bench {

struct Results {
  Tally tally;
  TimeSeries series;
  std::chrono::nanoseconds duration{};         // of the counted part
  double generator_cpu = 0;                    // 0 to 1: what the generator's threads used of the cores they may use
  bool interrupted = false;                    // stopped early by a signal
  bool gave_up = false;                        // stopped early because the server was gone
  std::chrono::system_clock::time_point when;  // it began
  Machine machine;

  /// Right answers a second.
  double rate() const noexcept;
};

/// From here on the generator measures itself rather than the server.
inline constexpr double generator_limit = 0.95;

}  // namespace deployd::bench
