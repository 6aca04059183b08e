#include "auth/refusal_log.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using deployd::auth::Refusal;
using deployd::auth::RefusalLog;

namespace {

RefusalLog::Clock::time_point const start{1h};

}  // namespace

TEST_CASE("of each reason one line in ten seconds is let through, with the number of the others") {
  RefusalLog log;
  CHECK(log.admit(Refusal::expired, start) == 0);
  CHECK(log.admit(Refusal::bad_signature, start) == 0);
  for (int i = 0; i < 7; ++i) CHECK_FALSE(log.admit(Refusal::expired, start + 10s - 1ns).has_value());
  CHECK_FALSE(log.admit(Refusal::bad_signature, start + 1s).has_value());
  CHECK(log.admit(Refusal::expired, start + 10s) == 7);
  CHECK_FALSE(log.admit(Refusal::expired, start + 20s - 1ns).has_value());
  CHECK(log.admit(Refusal::bad_signature, start + 15s) == 1);
  CHECK(log.admit(Refusal::expired, start + 20s) == 1);
}

TEST_CASE("what was held back is told once its window has ended, and once only") {
  RefusalLog log;
  log.admit(Refusal::expired, start);
  log.admit(Refusal::revoked, start);
  for (int i = 0; i < 3; ++i) log.admit(Refusal::expired, start + 1s);
  CHECK(log.take_ended(start + 9s).empty());
  auto const ended = log.take_ended(start + 10s);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].why == Refusal::expired);
  CHECK(ended[0].times == 3);
  CHECK(log.take_ended(start + 10s).empty());
  CHECK(log.admit(Refusal::expired, start + 11s) == 0);
}

TEST_CASE("workers that refuse at the same time let one line through, and count every refusal") {
  RefusalLog log;
  std::atomic<int> lines = 0;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i)
    workers.emplace_back([&] {
      for (int round = 0; round < 1000; ++round)
        if (log.admit(Refusal::malformed, start)) ++lines;
    });
  for (auto& worker : workers) worker.join();
  CHECK(lines == 1);
  auto const ended = log.take_ended(start + 10s);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].times == 3999);
}
