// Durations counted in log-linear buckets, after HdrHistogram: cheap to record, exact to merge, bounded in error.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deployd::bench {

/// Counts durations from 0 ns to almost five hours. Recording does not allocate or branch on the magnitude of the
/// value.
///
/// Each power of two is divided into 2^precision buckets, so that the error of a percentile is at most 2^-(precision+1)
/// of its value: 0.4 % by default. The smallest values (below 2^precision ns), minimum, maximum and mean are exact.
class Histogram {
 public:
  Histogram() : Histogram(7) {}
  explicit Histogram(unsigned precision);

  /// Records a duration. Negative durations count as 0, durations beyond the range as the maximum of the range.
  void record(std::chrono::nanoseconds value) noexcept;

  /// Adds the counts of `other`, which must have the same precision.
  void merge(Histogram const& other);

  std::uint64_t count() const noexcept { return count_; }

  // The following return 0 if nothing was counted.
  std::chrono::nanoseconds min() const noexcept;
  std::chrono::nanoseconds max() const noexcept;
  std::chrono::duration<double, std::nano> mean() const noexcept;

  /// Returns the smallest recorded value that at least `share` (0 to 1) of all values do not exceed, with the error
  /// above.
  std::chrono::nanoseconds percentile(double share) const noexcept;

 private:
  std::size_t bucket(std::uint64_t value) const noexcept;
  std::uint64_t middle(std::size_t bucket) const noexcept;

  unsigned precision_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t min_ = UINT64_MAX;
  std::uint64_t max_ = 0;
};

}  // namespace deployd::bench
