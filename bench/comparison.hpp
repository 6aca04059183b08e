// Compares a run with an earlier one.
#pragma once

#include <string>

#include "bench/results.hpp"

namespace deployd::bench {

/// The results of an earlier run that a comparison uses.
struct Baseline {
  double rate_rps;
  double p50_us;
  double p99_us;
};

/// Reads the --json output of an earlier run. Throws `UsageError` if the file cannot be read or is something else.
Baseline read_baseline(std::string const& file);

struct Comparison {
  bool slower = false;
  std::string text;  // lines for the terminal
};

/// Compares two runs. A run is slower if its rate is lower, or its 99th percentile higher, by more than `tolerance`
/// (0.1 for 10 %). In an open loop, whose rate is given, the median is compared as well; in a closed loop it would
/// repeat the rate. There is no allowance for noise: the 99th percentile of a short run varies by more than 10 %.
Comparison compare(Baseline const& before, Results const& now, bool open_loop, double tolerance);

}  // namespace deployd::bench
