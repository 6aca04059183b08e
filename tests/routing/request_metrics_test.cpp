#include "routing/request_metrics.hpp"

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <numeric>
#include <set>

using namespace deployd::routing;
using namespace std::chrono_literals;

namespace {

using TimePoint = RequestBatch::TimePoint;

std::uint64_t count_of(deployd::base::DurationReading const& reading) {
  return std::accumulate(reading.counts.begin(), reading.counts.end(), std::uint64_t{0});
}

}  // namespace

TEST_CASE("every route, method and status have a kind of their own") {
  std::set<RequestKind> kinds;
  for (RouteLabel route = 0; route < route_labels; ++route) {
    for (auto const method : {Method::get, Method::head, Method::options, Method::other}) {
      for (auto const status : counted_statuses) {
        kinds.insert(kind_of(route, method, status));
      }
    }
  }
  CHECK_FALSE(kinds.contains(RequestKind::none));
  CHECK(kinds.size() == route_labels * method_count * counted_statuses.size());
}

TEST_CASE("a status that nobody sends is counted as 0") {
  CHECK(counted_statuses[status_index(200)] == 200);
  CHECK(counted_statuses[status_index(503)] == 503);
  CHECK(status_index(299) == 0);
  CHECK(status_index(100000) == 0);
}

TEST_CASE("requests of one kind that are sent together are counted, and have the duration of the whole") {
  auto const metrics = std::make_unique<RequestMetrics>();
  auto const kind = kind_of(1, Method::head, 304);
  RequestBatch batch;
  batch.begin(TimePoint(1s));
  CHECK_FALSE(batch.takes(kind));
  batch.turn_to(1, Method::head, 304, *metrics);
  CHECK(batch.takes(kind));
  CHECK_FALSE(batch.takes(kind_of(1, Method::get, 304)));
  CHECK_FALSE(batch.takes(kind_of(0, Method::head, 304)));
  CHECK(batch.empty());
  batch.add();
  batch.add();
  CHECK_FALSE(batch.empty());
  batch.end(TimePoint(1s + 30us));
  auto const answered = [&](RouteLabel route, Method method, unsigned status) {
    return metrics->answered[route][static_cast<std::size_t>(method)][status_index(status)].value();
  };
  CHECK(answered(1, Method::head, 304) == 2);
  CHECK(answered(1, Method::get, 304) == 0);
  CHECK(metrics->durations[1].read().counts[1] == 2);
  CHECK(metrics->durations[1].read().sum == 60us);

  CHECK(batch.empty());
  batch.begin(TimePoint(9s));
  batch.turn_to(no_route, Method::other, 501, *metrics);
  batch.add();
  batch.end(TimePoint(9s));
  CHECK(answered(no_route, Method::other, 501) == 1);
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
  using deployd::base::duration_bounds;
  for (std::size_t bucket = 0; bucket < duration_bounds.size(); ++bucket) {
    CAPTURE(bucket);
    deployd::base::DurationHistogram histogram;
    auto const bound = duration_bounds[bucket];
    auto const below = bucket == 0 ? 0ns : duration_bounds[bucket - 1];
    for (auto const took : {bound, bound - 1ns, below + 1ns, below + (bound - below) / 2}) histogram.observe(took);
    histogram.observe(bound + 1ns);
    auto const reading = histogram.read();
    CHECK(reading.counts[bucket] == 4);
    CHECK(reading.counts[bucket + 1] == 1);
  }
  deployd::base::DurationHistogram histogram;
  histogram.observe(0ns);
  histogram.observe(std::chrono::hours(24));
  CHECK(histogram.read().counts.front() == 1);
  CHECK(histogram.read().counts.back() == 1);
}

TEST_CASE("a duration on a bound is in the bucket below it, and one above all bounds in the last") {
  deployd::base::DurationHistogram histogram;
  histogram.observe(25us);
  histogram.observe(25001ns);
  histogram.observe(10s);
  histogram.observe(11s, 3);
  auto const reading = histogram.read();
  CHECK(reading.counts[0] == 1);
  CHECK(reading.counts[1] == 1);
  CHECK(reading.counts[deployd::base::duration_bounds.size() - 1] == 1);
  CHECK(reading.counts.back() == 3);
  CHECK(reading.sum == 43s + 50001ns);
}
