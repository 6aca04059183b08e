// Durations counted in log-linear buckets, after HdrHistogram: cheap to record, exact to merge, bounded in error.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deployd::bench {

/// Counts durations from 0 ns to almost five hours. Recording neither allocates nor branches on the value's size class.
///
/// Each power of two is cut into 2^precision buckets, so that a percentile is off by at most 2^-(precision+1) of
/// itself: 0.4 % at the default. The smallest values (below 2^precision ns), minimum, maximum and mean are exact.
class Histogram {
 public:
  static constexpr unsigned default_precision = 7;

  explicit Histogram(unsigned precision = default_precision);

  /// A negative duration counts as 0, one beyond the range as the largest of the range.
  void record(std::chrono::nanoseconds value) noexcept;

  /// Adds what `other` has counted. Both must have the same precision.
  void merge(Histogram const& other);

  void clear() noexcept;

  std::uint64_t count() const noexcept { return count_; }

  // The following are 0 when nothing was counted.
  std::chrono::nanoseconds min() const noexcept;
  std::chrono::nanoseconds max() const noexcept;
  std::chrono::duration<double, std::nano> mean() const noexcept;

  /// The smallest recorded value that at least `share` (0 to 1) of all values do not exceed, within the error above.
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
