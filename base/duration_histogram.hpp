// Histograms of durations.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/counter.hpp"

namespace deployd::base {

/// The upper bounds of the buckets of every histogram, ascending. One more bucket counts longer durations.
inline constexpr auto duration_bounds = std::to_array<std::chrono::nanoseconds>(
    {std::chrono::microseconds(25), std::chrono::microseconds(50), std::chrono::microseconds(100),
     std::chrono::microseconds(250), std::chrono::microseconds(500), std::chrono::milliseconds(1),
     std::chrono::microseconds(2500), std::chrono::milliseconds(5), std::chrono::milliseconds(10),
     std::chrono::milliseconds(25), std::chrono::milliseconds(50), std::chrono::milliseconds(100),
     std::chrono::milliseconds(250), std::chrono::milliseconds(500), std::chrono::seconds(1),
     std::chrono::milliseconds(2500), std::chrono::seconds(5), std::chrono::seconds(10)});

inline constexpr std::size_t duration_buckets = duration_bounds.size() + 1;

namespace detail {

/// The bucket of durations with a certain number of bits (in nanoseconds): `bucket`, or the next one if they exceed its
/// bound.
struct BucketOfBits {
  std::uint64_t bound;
  std::uint64_t bucket;
};

inline constexpr auto buckets_of_bits = [] {
  std::array<BucketOfBits, 65> table{};
  std::size_t bucket = 0;
  for (std::size_t bits = 0; bits < table.size(); ++bits) {
    auto const least = bits == 0 ? 0 : std::uint64_t{1} << (bits - 1);
    auto const bound = [](std::size_t at) { return static_cast<std::uint64_t>(duration_bounds[at].count()); };
    while (bucket < duration_bounds.size() && least > bound(bucket)) ++bucket;
    table[bits] = {bucket < duration_bounds.size() ? bound(bucket) : ~std::uint64_t{0}, bucket};
  }
  return table;
}();

static_assert(std::ranges::adjacent_find(duration_bounds,
                                         [](auto one, auto next) {
                                           return std::bit_width(static_cast<std::uint64_t>(one.count())) ==
                                                  std::bit_width(static_cast<std::uint64_t>(next.count()));
                                         }) == duration_bounds.end(),
              "two bounds of the same number of bits: one comparison does not find the bucket");

}  // namespace detail

/// A snapshot of one histogram, or the sum of several.
struct DurationReading {
  std::array<std::uint64_t, duration_buckets> counts{};  // per bucket, not cumulative
  std::chrono::nanoseconds sum{0};

  DurationReading& operator+=(DurationReading const& other) noexcept {
    for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) counts[bucket] += other.counts[bucket];
    sum += other.sum;
    return *this;
  }
};

/// Counts durations per bucket. One thread writes, any thread reads.
class DurationHistogram {
 public:
  /// Counts a duration `took`, which must not be negative, `times` times.
  [[gnu::always_inline]] void observe(std::chrono::nanoseconds took, std::uint64_t times = 1) noexcept {
    auto const nanoseconds = static_cast<std::uint64_t>(took.count());
    auto const& place = detail::buckets_of_bits[std::bit_width(nanoseconds | 1)];
    counts_[place.bucket + (nanoseconds > place.bound ? 1 : 0)].add(times);
    sum_.add(times * nanoseconds);
  }

  DurationReading read() const noexcept {
    DurationReading reading;
    for (std::size_t bucket = 0; bucket < duration_buckets; ++bucket) reading.counts[bucket] = counts_[bucket].value();
    reading.sum = std::chrono::nanoseconds(sum_.value());
    return reading;
  }

 private:
  // More than the number of buckets: an array of histograms is indexed by a shift if their size is a power of two.
  std::array<Counter, 31> counts_;
  Counter sum_;  // in nanoseconds
};

}  // namespace deployd::base
