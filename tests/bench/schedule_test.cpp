#include "bench/schedule.hpp"

#include <catch2/catch_test_macros.hpp>

#include <set>

using namespace deployd::bench;
using namespace std::chrono_literals;

namespace {

Window window(Clock::time_point start, Clock::duration warmup, Clock::duration duration) {
  return {start, start + warmup, start + warmup + duration, {}};
}

Window window(Clock::time_point start, Clock::duration warmup, std::uint64_t requests) {
  return {start, start + warmup, Clock::time_point::max(), requests};
}

Clock::time_point const start{1000s};

}  // namespace

TEST_CASE("a closed loop hands out a request whenever asked until the end of the window") {
  ClosedLoopCounters counters;
  ClosedLoop loop(window(start, 1s, 2s), counters);
  CHECK(!loop.take(start)->counted);
  CHECK(loop.take(start + 1s)->counted);
  CHECK(loop.take(start + 1s)->index == 2);
  CHECK(loop.take(start + 2999ms)->due == start + 2999ms);
  CHECK(!loop.take(start + 3s));
  CHECK(loop.over(start + 3s));
}

TEST_CASE("the threads of a closed loop share exactly the requests asked for") {
  ClosedLoopCounters counters;
  ClosedLoop one(window(start, 0s, 5), counters), other(window(start, 0s, 5), counters);
  std::set<std::uint64_t> indices;
  for (int i = 0; i < 2; ++i) indices.insert(one.take(start)->index);
  for (int i = 0; i < 3; ++i) indices.insert(other.take(start)->index);
  CHECK(indices == std::set<std::uint64_t>{0, 1, 2, 3, 4});
  CHECK(!one.take(start));
  CHECK(!other.take(start));
  CHECK(one.over(start));
}

TEST_CASE("an open loop hands out requests when they are due and not before") {
  OpenLoop loop(window(start, 0s, 1s), 10, 0, 1);
  CHECK(loop.take(start)->due == start);
  CHECK(!loop.take(start + 99ms));
  CHECK(loop.next_due() == start + 100ms);
  CHECK(loop.take(start + 100ms)->due == start + 100ms);
}

TEST_CASE("requests that nobody was free for keep the time when they were due") {
  OpenLoop loop(window(start, 0s, 1s), 10, 0, 1);
  for (int i = 0; i < 6; ++i) CHECK(loop.take(start + 550ms)->due == start + i * 100ms);
  CHECK(!loop.take(start + 550ms));
}

TEST_CASE("requests of an open loop that were never sent are skipped, the warm-up's not among them") {
  OpenLoop loop(window(start, 1s, 1s), 10, 0, 1);
  CHECK(!loop.take(start)->counted);
  loop.stop();
  CHECK(!loop.take(start + 2s));
  CHECK(loop.over(start + 2s));
  CHECK(loop.skipped() == 10);
}

TEST_CASE("what the warm-up of an open loop left unsent is dropped") {
  for (unsigned thread = 0; thread < 3; ++thread) {
    OpenLoop loop(window(start, 1s, 1s), 10, thread, 3);
    CHECK(loop.take(start + 999ms)->index == thread);
    auto const first = loop.take(start + 2s);
    REQUIRE(first);
    CHECK(first->counted);
    CHECK(first->index >= 10);
    CHECK(first->index < 13);
    CHECK(first->index % 3 == thread);
    loop.stop();
    CHECK(loop.skipped() == (first->index == 10 ? 3 : 2));
  }
}

TEST_CASE("an open loop stopped in its warm-up has skipped nothing") {
  OpenLoop loop(window(start, 1s, 1s), 10, 0, 1);
  loop.close(start + 500ms);
  loop.stop();
  CHECK(loop.over(start + 500ms));
  CHECK(loop.skipped() == 0);
}

TEST_CASE("a huge rate does not hold up the end of an open loop") {
  OpenLoop loop(window(start, 1000s, 1000s), 1e9, 0, 1);
  loop.stop();
  CHECK(loop.skipped() == 1'000'000'000'000);
}

TEST_CASE("an open loop stopped early skips only what was due") {
  OpenLoop loop(window(start, 0s, 100s), 10, 0, 1);
  loop.close(start + 1050ms);
  loop.stop();
  CHECK(loop.skipped() == 11);
  CHECK(loop.next_due() == Clock::time_point::max());
}

TEST_CASE("the threads of an open loop take the requests in turn and no other") {
  std::set<std::uint64_t> indices;
  std::size_t counted = 0;
  for (unsigned thread = 0; thread < 3; ++thread) {
    OpenLoop loop(window(start, 1s, 100), 30, thread, 3);
    for (auto const now : {start + 999ms, start + 3600s}) {
      while (auto const ticket = loop.take(now)) {
        CHECK(indices.insert(ticket->index).second);
        if (ticket->counted) ++counted;
      }
    }
    CHECK(loop.over(start + 3600s));
  }
  CHECK(counted == 100);
  CHECK(indices.size() == 130);
  CHECK(*indices.rbegin() == 129);
}
