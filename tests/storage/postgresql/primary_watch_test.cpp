#include "storage/postgresql/primary_watch.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>

namespace deployd::storage {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a position in the log is read as PostgreSQL writes it, and nothing else is one") {
  CHECK(parse_log_position("16/B374D848") == LogPosition{0x16B374D848});
  CHECK(parse_log_position("0/0") == LogPosition{0});
  for (auto const* const text : {"", "16", "16/", "/16", "16/G", "16/1 ", "1FFFFFFFF/0"})
    CHECK_FALSE(parse_log_position(text));
}

TEST_CASE("a standby has what was committed before the primary was as far as the standby is") {
  PrimaryWatch watch;
  auto const start = PrimaryWatch::Clock::now();
  CHECK_FALSE(watch.complete_until(1000));
  watch.tell(100, start);
  watch.tell(200, start + 1s);
  watch.tell(200, start + 2s);
  CHECK_FALSE(watch.complete_until(99));
  CHECK(watch.complete_until(100) == start);
  CHECK(watch.complete_until(199) == start);
  CHECK(watch.complete_until(200) == start + 2s);
  for (int i = 3; i < 40; ++i) watch.tell(300, start + std::chrono::seconds(i));
  CHECK_FALSE(watch.complete_until(200));
  CHECK(watch.complete_until(300) == start + 39s);
}

TEST_CASE("the primary moves when it is found on another host than before") {
  PrimaryWatch watch;
  watch.arrived(1);
  watch.arrived(1);
  CHECK(watch.moves() == 0);
  CHECK(watch.arrivals() == 2);
  watch.arrived(0);
  CHECK(watch.moves() == 1);
}

}  // namespace
}  // namespace deployd::storage
