#include "bench/time_series.hpp"

#include <algorithm>
#include <utility>

namespace deployd::bench {
namespace {

constexpr std::size_t most_intervals = 240;

void add(TimeSeries::Interval& to, TimeSeries::Interval const& from) {
  to.right += from.right;
  to.errors += from.errors;
  to.latency.merge(from.latency);
}

}  // namespace

TimeSeries::Interval& TimeSeries::interval(std::chrono::nanoseconds at) {
  at = std::max(at, std::chrono::nanoseconds(0));
  while (at / length_ >= static_cast<std::int64_t>(most_intervals)) fold();
  auto const index = static_cast<std::size_t>(at / length_);
  if (index >= intervals_.size()) intervals_.resize(index + 1);
  return intervals_[index];
}

void TimeSeries::fold() {
  for (std::size_t i = 0; i < intervals_.size(); i += 2) {
    if (i != 0) intervals_[i / 2] = std::move(intervals_[i]);
    if (i + 1 < intervals_.size()) add(intervals_[i / 2], intervals_[i + 1]);
  }
  intervals_.resize((intervals_.size() + 1) / 2);
  length_ *= 2;
}

void TimeSeries::right(std::chrono::nanoseconds at, std::chrono::nanoseconds latency) {
  auto& now = interval(at);
  ++now.right;
  now.latency.record(latency);
}

void TimeSeries::error(std::chrono::nanoseconds at) {
  ++interval(at).errors;
}

void TimeSeries::merge(TimeSeries other) {
  while (other.length_ < length_) other.fold();
  while (length_ < other.length_) fold();
  if (intervals_.size() < other.intervals_.size()) intervals_.resize(other.intervals_.size());
  for (std::size_t i = 0; i < other.intervals_.size(); ++i) add(intervals_[i], other.intervals_[i]);
}

}  // namespace deployd::bench
