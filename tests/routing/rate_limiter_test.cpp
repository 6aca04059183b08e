#include "routing/rate_limiter.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>

using deployd::routing::RateLimiter;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::steady_clock::time_point start{1000s};

/// How many of `tries` requests made at `now` pass.
int admitted(RateLimiter& limiter, int tries, std::chrono::steady_clock::time_point now, std::uint64_t key = 1) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += limiter.admit(key, now).wait ? 0 : 1;
  return count;
}

}  // namespace

TEST_CASE("as many requests pass at once as one second brings, then as many as the rate gives") {
  RateLimiter limiter(10);
  CHECK(admitted(limiter, 100, start) == 10);
  CHECK(admitted(limiter, 100, start + 99ms) == 0);
  CHECK(admitted(limiter, 100, start + 100ms) == 1);
  CHECK(admitted(limiter, 100, start + 600ms) == 5);
  CHECK(admitted(limiter, 100, start + 3600s) == 10);
}

TEST_CASE("a request that is refused is told exactly when the next one passes, and costs nothing") {
  RateLimiter limiter(4);
  CHECK(admitted(limiter, 4, start) == 4);
  for (int i = 0; i < 50; ++i) CHECK(limiter.admit(1, start).wait == 250ms);
  CHECK(limiter.admit(1, start + 200ms).wait == 50ms);
  CHECK(limiter.admit(1, start + 250ms - 1ns).wait == 1ns);
  CHECK_FALSE(limiter.admit(1, start + 250ms).wait);
}

TEST_CASE("a rate below one a second lets one request pass at a time") {
  RateLimiter limiter(0.5);
  CHECK(admitted(limiter, 10, start) == 1);
  CHECK(limiter.admit(1, start + 500ms).wait == 1500ms);
  CHECK(admitted(limiter, 10, start + 2s) == 1);
}

TEST_CASE("one key's requests do not count against another's, in one shard or two") {
  auto const other = GENERATE(std::uint64_t{2}, std::uint64_t{17});
  RateLimiter limiter(3);
  CHECK(admitted(limiter, 10, start, 1) == 3);
  CHECK(admitted(limiter, 10, start, other) == 3);
  CHECK(admitted(limiter, 10, start, 1) == 0);
}

TEST_CASE("keys that are forgotten when there are many were ones whose bucket is full again") {
  RateLimiter limiter(2);
  CHECK(admitted(limiter, 5, start, 16) == 2);
  for (std::uint64_t key = 2; key < 5000; ++key) CHECK(admitted(limiter, 1, start + 10ms, 16 * key) == 1);
  CHECK(admitted(limiter, 5, start + 20ms, 16) == 0);
  CHECK(admitted(limiter, 5, start + 5s, 16) == 2);
}
