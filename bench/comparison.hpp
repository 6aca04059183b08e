// A run beside an earlier one.
#pragma once

#include <string>

#include "bench/results.hpp"

namespace deployd::bench {

/// What a comparison needs of an earlier run.
struct Baseline {
  double rate_rps;
  double p50_us;
  double p99_us;
};

/// Reads the --json of an earlier run. Throws `UsageError` when the file is not to be had or is something else.
Baseline read_baseline(std::string const& file);

struct Comparison {
  bool slower = false;
  std::string text;  // lines for the terminal
};

/// A run is slower when its rate is lower, or its 99th percentile higher, by more than `tolerance` (0.1 for 10 %). In
/// an open loop, whose rate is given, the median counts as well; in a closed loop it is the rate once more. Nothing is
/// allowed for noise: the 99th percentile of a short run varies by more than 10 %.
Comparison compare(Baseline const& before, Results const& now, bool open_loop, double tolerance);

}  // namespace deployd::bench
