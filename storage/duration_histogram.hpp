// How long things took, counted by size.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "storage/counter.hpp"

namespace deployd::storage {

/// The upper bounds of the buckets of every histogram, ascending; one more bucket takes what is above.
inline constexpr auto duration_bounds = std::to_array<std::chrono::nanoseconds>(
    {std::chrono::microseconds(25), std::chrono::microseconds(50), std::chrono::microseconds(100),
     std::chrono::microseconds(250), std::chrono::microseconds(500), std::chrono::milliseconds(1),
     std::chrono::microseconds(2500), std::chrono::milliseconds(5), std::chrono::milliseconds(10),
     std::chrono::milliseconds(25), std::chrono::milliseconds(50), std::chrono::milliseconds(100),
     std::chrono::milliseconds(250), std::chrono::milliseconds(500), std::chrono::seconds(1),
     std::chrono::milliseconds(2500), std::chrono::seconds(5), std::chrono::seconds(10)});

inline constexpr std::size_t duration_buckets = duration_bounds.size() + 1;

namespace detail {

/// For each number of bits, the first bucket that a number of nanoseconds of so many bits can be in. From there it is
/// two steps at the most.
inline constexpr auto first_bucket = [] {
  std::array<std::uint8_t, 65> table{};
  for (std::size_t bits = 1; bits < table.size(); ++bits) {
    auto const least = std::uint64_t{1} << (bits - 1);
    while (table[bits] < duration_bounds.size() &&
           least > static_cast<std::uint64_t>(duration_bounds[table[bits]].count()))
      ++table[bits];
  }
  return table;
}();

}  // namespace detail

/// What a histogram held when it was read, or several together.
struct DurationReading {
  std::array<std::uint64_t, duration_buckets> counts{};  // by bucket, not cumulative
  std::chrono::nanoseconds sum{0};

  DurationReading& operator+=(DurationReading const& other) noexcept {
    for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) counts[bucket] += other.counts[bucket];
    sum += other.sum;
    return *this;
  }
};

/// Counts durations by bucket. One thread writes, any thread reads.
class DurationHistogram {
 public:
  /// Counts `times` things that took `took` each, which is not negative.
  void observe(std::chrono::nanoseconds took, std::uint64_t times = 1) noexcept {
    auto const nanoseconds = static_cast<std::uint64_t>(took.count());
    std::size_t bucket = detail::first_bucket[std::bit_width(nanoseconds)];
    while (bucket < duration_bounds.size() && took > duration_bounds[bucket]) ++bucket;
    counts_[bucket].add(times);
    sum_.add(times * nanoseconds);
  }

  DurationReading read() const noexcept {
    DurationReading reading;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) reading.counts[bucket] = counts_[bucket].value();
    reading.sum = std::chrono::nanoseconds(sum_.value());
    return reading;
  }

 private:
  std::array<Counter, duration_buckets> counts_;
  Counter sum_;  // nanoseconds
};

}  // namespace deployd::storage
