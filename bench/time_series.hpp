// How a run went over time.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "bench/histogram.hpp"

namespace deployd::bench {

/// Counts in intervals of equal length. There are never more than a bound: when a run outgrows them, neighbours are
/// merged and the intervals are twice as long from then on.
class TimeSeries {
 public:
  struct Interval {
    std::uint64_t right = 0;
    std::uint64_t errors = 0;
    Histogram latency{3};  // within 7 %: enough for a plot
  };

  /// A right answer, `at` after the counted part of the run began.
  void right(std::chrono::nanoseconds at, std::chrono::nanoseconds latency);
  void error(std::chrono::nanoseconds at);

  void merge(TimeSeries other);

  std::chrono::nanoseconds interval_length() const noexcept { return length_; }
  std::vector<Interval> const& intervals() const noexcept { return intervals_; }

 private:
  Interval& interval(std::chrono::nanoseconds at);
  void fold();

  std::chrono::nanoseconds length_ = std::chrono::milliseconds(50);
  std::vector<Interval> intervals_;
};

}  // namespace deployd::bench
