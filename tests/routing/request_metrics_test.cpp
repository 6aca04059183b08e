#include "routing/request_metrics.hpp"

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <numeric>

using namespace deployd::routing;
using namespace std::chrono_literals;

namespace {

using TimePoint = RequestBatch::TimePoint;

std::uint64_t count_of(deployd::storage::DurationReading const& reading) {
  return std::accumulate(reading.counts.begin(), reading.counts.end(), std::uint64_t{0});
}

}  // namespace

TEST_CASE("a request is counted under its route, its method and its status") {
  auto const metrics = std::make_unique<RequestMetrics>();
  metrics->count(1, Method::head, 304);
  metrics->count(1, Method::head, 304);
  metrics->count(no_route, Method::other, 501);
  CHECK(metrics->answered[1][static_cast<std::size_t>(Method::head)][status_index(304)].value() == 2);
  CHECK(metrics->answered[1][static_cast<std::size_t>(Method::get)][status_index(304)].value() == 0);
  CHECK(metrics->answered[no_route][static_cast<std::size_t>(Method::other)][status_index(501)].value() == 1);
}

TEST_CASE("a status that nobody sends is counted as 0") {
  CHECK(counted_statuses[status_index(200)] == 200);
  CHECK(counted_statuses[status_index(503)] == 503);
  CHECK(status_index(299) == 0);
  CHECK(status_index(100000) == 0);
}

TEST_CASE("requests of one route that are sent together have the duration of the whole") {
  auto const metrics = std::make_unique<RequestMetrics>();
  RequestBatch batch;
  batch.begin(TimePoint(1s));
  CHECK(batch.takes(0));
  CHECK(batch.takes(1));
  batch.add(1);
  batch.add(1);
  CHECK(batch.takes(1));
  CHECK_FALSE(batch.takes(0));
  batch.end(TimePoint(1s + 30us), *metrics);
  CHECK(batch.takes(0));
  CHECK(metrics->durations[1].read().counts[1] == 2);
  CHECK(metrics->durations[1].read().sum == 60us);

  CHECK(batch.empty());
  batch.begin(TimePoint(9s));
  batch.add(no_route);
  batch.end(TimePoint(9s), *metrics);
  CHECK(count_of(metrics->durations[1].read()) == 2);
  CHECK(metrics->durations[no_route].read().counts[0] == 1);
  CHECK(count_of(metrics->durations[0].read()) == 0);
}

TEST_CASE("requests that could not be read are counted by the status of their answer") {
  auto const metrics = std::make_unique<RequestMetrics>();
  metrics->count_unread(408);
  metrics->count_unread(299);
  auto const place = std::ranges::find(unread_statuses, 408) - unread_statuses.begin();
  CHECK(metrics->unread[static_cast<std::size_t>(place)].value() == 1);
  CHECK(metrics->unread[0].value() == 1);
}

TEST_CASE("every duration is in the bucket whose bounds it is between") {
  using deployd::storage::duration_bounds;
  for (std::size_t bucket = 0; bucket < duration_bounds.size(); ++bucket) {
    CAPTURE(bucket);
    deployd::storage::DurationHistogram histogram;
    auto const bound = duration_bounds[bucket];
    auto const below = bucket == 0 ? 0ns : duration_bounds[bucket - 1];
    for (auto const took : {bound, bound - 1ns, below + 1ns, below + (bound - below) / 2}) histogram.observe(took);
    histogram.observe(bound + 1ns);
    auto const reading = histogram.read();
    CHECK(reading.counts[bucket] == 4);
    CHECK(reading.counts[bucket + 1] == 1);
  }
  deployd::storage::DurationHistogram histogram;
  histogram.observe(0ns);
  histogram.observe(std::chrono::hours(24));
  CHECK(histogram.read().counts.front() == 1);
  CHECK(histogram.read().counts.back() == 1);
}

TEST_CASE("a duration on a bound is in the bucket below it, and one above all bounds in the last") {
  deployd::storage::DurationHistogram histogram;
  histogram.observe(25us);
  histogram.observe(25001ns);
  histogram.observe(10s);
  histogram.observe(11s, 3);
  auto const reading = histogram.read();
  CHECK(reading.counts[0] == 1);
  CHECK(reading.counts[1] == 1);
  CHECK(reading.counts[deployd::storage::duration_bounds.size() - 1] == 1);
  CHECK(reading.counts.back() == 3);
  CHECK(reading.sum == 43s + 50001ns);
}
