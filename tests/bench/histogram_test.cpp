#include "bench/histogram.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using deployd::bench::Histogram;
using std::chrono::nanoseconds;

namespace {

std::int64_t exact_percentile(std::vector<std::int64_t> const& sorted, double share) {
  auto const rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

std::vector<std::int64_t> random_durations(std::size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> distribution(12.0, 2.5);
  std::vector<std::int64_t> values(count);
  for (auto& value : values) value = static_cast<std::int64_t>(std::min(distribution(random), 1e13));
  return values;
}

}  // namespace

TEST_CASE("a percentile is within one per cent of the exact one") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    auto values = random_durations(1 + seed * 997, seed);
    Histogram histogram;
    for (auto const value : values) histogram.record(nanoseconds(value));
    std::sort(values.begin(), values.end());
    for (double const share : {0.0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
      auto const exact = static_cast<double>(exact_percentile(values, share));
      auto const got = static_cast<double>(histogram.percentile(share).count());
      CAPTURE(seed, share, exact, got);
      REQUIRE(std::abs(got - exact) <= 0.01 * exact);
    }
  }
}

TEST_CASE("every power of two and its neighbours are kept within one per cent") {
  for (unsigned bit = 0; bit < 44; ++bit) {
    for (std::int64_t const offset : {-1, 0, 1}) {
      auto const value = (std::int64_t{1} << bit) + offset;
      Histogram histogram;
      histogram.record(nanoseconds(value));
      histogram.record(nanoseconds(0));
      histogram.record(nanoseconds((std::int64_t{1} << 44) - 1));
      auto const got = histogram.percentile(0.5).count();
      CAPTURE(value, got);
      REQUIRE(std::abs(static_cast<double>(got - value)) <= 0.01 * static_cast<double>(value));
    }
  }
}

TEST_CASE("merged histograms are as one that counted everything") {
  Histogram whole, left, right;
  for (auto const value : random_durations(5000, 1)) {
    whole.record(nanoseconds(value));
    left.record(nanoseconds(value));
  }
  for (auto const value : random_durations(300, 2)) {
    whole.record(nanoseconds(value * 50));
    right.record(nanoseconds(value * 50));
  }
  left.merge(right);
  CHECK(left.count() == whole.count());
  CHECK(left.min() == whole.min());
  CHECK(left.max() == whole.max());
  CHECK(left.mean() == whole.mean());
  for (double share = 0; share <= 1; share += 0.001) REQUIRE(left.percentile(share) == whole.percentile(share));
}

TEST_CASE("minimum, maximum and mean are exact") {
  Histogram histogram;
  for (auto const value : {1'000'003, 17, 999'999'937}) histogram.record(nanoseconds(value));
  CHECK(histogram.min() == nanoseconds(17));
  CHECK(histogram.max() == nanoseconds(999'999'937));
  CHECK(std::abs(histogram.mean().count() - (1'000'003 + 17 + 999'999'937) / 3.0) < 1e-3);
}

TEST_CASE("an empty histogram answers with zeros") {
  Histogram const histogram;
  CHECK(histogram.count() == 0);
  CHECK(histogram.min() == nanoseconds(0));
  CHECK(histogram.max() == nanoseconds(0));
  CHECK(histogram.mean().count() == 0.0);
  CHECK(histogram.percentile(0.99) == nanoseconds(0));
}

TEST_CASE("values beyond the range count as its ends") {
  Histogram histogram;
  histogram.record(nanoseconds(-5));
  histogram.record(std::chrono::hours(24 * 365));
  CHECK(histogram.count() == 2);
  CHECK(histogram.min() == nanoseconds(0));
  CHECK(histogram.max() > std::chrono::hours(4));
}
