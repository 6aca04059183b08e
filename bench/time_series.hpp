// The course of a run over time.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "bench/histogram.hpp"

namespace deployd::bench {

/// Counts in intervals of equal length. Their number is limited: when a run exceeds it, neighbouring intervals are
/// merged and all further ones are twice as long.
class TimeSeries {
 public:
  struct Interval {
    std::uint64_t right = 0;
    std::uint64_t errors = 0;
    Histogram latency{3};  // within 7 %: enough for a plot
  };

  /// Counts a correct response that arrived `at` after the counted part of the run began.
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
