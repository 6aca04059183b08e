#include "base/overload.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using deployd::base::Overload;
using namespace std::chrono_literals;

namespace {

constexpr Overload::TimePoint start{1000s};

/// One that has begun.
Overload begun() {
  Overload overload;
  overload.note(true, start);
  overload.note(true, start + Overload::patience);
  return overload;
}

}  // namespace

TEST_CASE("a queue that is long for a moment is a burst, one that stays long is overload") {
  Overload overload;
  overload.note(true, start);
  overload.note(true, start + Overload::patience - 1ms);
  CHECK_FALSE(overload.lasts());
  overload.note(true, start + Overload::patience);
  CHECK(overload.lasts());
}

TEST_CASE("a queue that was short in between, or a pause, begins anew") {
  Overload interrupted;
  interrupted.note(true, start);
  interrupted.note(false, start + 50ms);
  interrupted.note(true, start + 60ms);
  interrupted.note(true, start + 120ms);
  CHECK_FALSE(interrupted.lasts());
  Overload paused;
  paused.note(true, start);
  paused.note(true, start + 10s, true);
  CHECK_FALSE(paused.lasts());
  Overload short_ones;
  for (int i = 0; i < 100; ++i) short_ones.note(false, start + i * 10ms);
  CHECK_FALSE(short_ones.lasts());
}

TEST_CASE("overload lasts as long as one in twenty is refused") {
  auto overload = begun();
  auto now = start + Overload::patience;
  for (int i = 1; i <= 100; ++i) overload.count(i % 10 == 0, now + i * 10ms);
  CHECK(overload.lasts());
  now += 1s;
  for (int i = 1; i <= 200; ++i) overload.count(i % 40 == 0, now + i * 10ms);
  CHECK_FALSE(overload.lasts());
}

TEST_CASE("overload is over when nobody asks any more") {
  auto overload = begun();
  overload.count(false, start + 10s);
  CHECK_FALSE(overload.lasts());
}
