#include "bench/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace deployd::bench {
namespace {

constexpr unsigned range_bits = 44;  // 2^44 ns are 4.9 hours
constexpr std::uint64_t largest = (std::uint64_t{1} << range_bits) - 1;

}  // namespace

Histogram::Histogram(unsigned precision)
    : precision_(precision), counts_(static_cast<std::size_t>(range_bits - precision + 1) << precision) {}

// A value below 2^precision has its own bucket. For a larger value the leading bit selects the power of two, and the
// `precision` bits after it the bucket within it.
std::size_t Histogram::bucket(std::uint64_t value) const noexcept {
  auto const bits = static_cast<unsigned>(std::bit_width(value | ((std::uint64_t{1} << precision_) - 1)));
  unsigned const shift = bits - precision_ > 0 ? bits - precision_ - 1 : 0;
  std::uint64_t const power = bits - precision_;
  return static_cast<std::size_t>((power << precision_) + ((value >> shift) & ((std::uint64_t{1} << precision_) - 1)));
}

std::uint64_t Histogram::middle(std::size_t bucket) const noexcept {
  std::uint64_t const power = bucket >> precision_;
  std::uint64_t const within = bucket & ((std::size_t{1} << precision_) - 1);
  if (power == 0) return within;
  std::uint64_t const low = ((std::uint64_t{1} << precision_) + within) << (power - 1);
  return low + (std::uint64_t{1} << (power - 1)) / 2;
}

void Histogram::record(std::chrono::nanoseconds duration) noexcept {
  auto const value = std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)), largest);
  ++counts_[bucket(value)];
  ++count_;
  sum_ += value;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
}

void Histogram::merge(Histogram const& other) {
  std::transform(counts_.begin(), counts_.end(), other.counts_.begin(), counts_.begin(), std::plus<>());
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

std::chrono::nanoseconds Histogram::min() const noexcept {
  return std::chrono::nanoseconds(count_ == 0 ? 0 : static_cast<std::int64_t>(min_));
}

std::chrono::nanoseconds Histogram::max() const noexcept {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(max_));
}

std::chrono::duration<double, std::nano> Histogram::mean() const noexcept {
  using Mean = std::chrono::duration<double, std::nano>;
  return Mean(count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_));
}

std::chrono::nanoseconds Histogram::percentile(double share) const noexcept {
  if (count_ == 0) return {};
  auto const wanted = static_cast<std::uint64_t>(std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= wanted && seen > 0) return std::chrono::nanoseconds(std::clamp(middle(i), min_, max_));
  }
  return max();
}

}  // namespace deployd::bench
