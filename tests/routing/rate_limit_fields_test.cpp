#include "routing/rate_limiter.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>

using namespace deployd::routing;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::steady_clock::time_point start{1000s};

std::string lines(RateLimiter& limiter, std::chrono::steady_clock::time_point now) {
  return std::string(RateLimitFields(limiter, limiter.admit(1, now)).lines());
}

}  // namespace

TEST_CASE("the fields say how many requests may come at once, how many are left, and when all are there again") {
  RateLimiter limiter(10);
  CHECK(lines(limiter, start) == "RateLimit-Policy: \"default\";q=10;w=1\r\nRateLimit: \"default\";r=9;t=1\r\n");
  for (int i = 0; i < 8; ++i) limiter.admit(1, start);
  CHECK(lines(limiter, start) == "RateLimit-Policy: \"default\";q=10;w=1\r\nRateLimit: \"default\";r=0;t=1\r\n");
  CHECK(lines(limiter, start + 550ms) ==
        "RateLimit-Policy: \"default\";q=10;w=1\r\nRateLimit: \"default\";r=4;t=1\r\n");
}

TEST_CASE("a refusal says when a request will pass") {
  RateLimiter limiter(0.1);
  CHECK(lines(limiter, start) == "RateLimit-Policy: \"default\";q=1;w=10\r\nRateLimit: \"default\";r=0;t=10\r\n");
  CHECK(lines(limiter, start + 6500ms) ==
        "RateLimit-Policy: \"default\";q=1;w=10\r\nRateLimit: \"default\";r=0;t=4\r\n");
}

TEST_CASE("without a limit there are no fields, and the largest limit fits") {
  CHECK(RateLimitFields().lines().empty());
  RateLimiter fastest(1e9);
  CHECK(lines(fastest, start).find("q=1000000000;w=1\r\n") != std::string::npos);
  RateLimiter slowest(1e-9);
  CHECK(lines(slowest, start).find("q=1;w=1000000000\r\n") != std::string::npos);
}
