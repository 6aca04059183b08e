// The primary of a replicated PostgreSQL is lost, and its standby promoted.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <string>

#include "tests/failover/lost_primary.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

void expect_back_in_time(LostPrimaryReport const& report) {
  CAPTURE(report.before.first_fault, report.between.first_fault, report.after.first_fault);
  CHECK(report.before.answered > 100);
  CHECK(report.after.answered > 100);
  CHECK(report.flawless());
  CHECK(report.back < 2s);
}

}  // namespace

TEST_CASE(
    "two seconds after a standby was promoted in place of a primary that crashed all is answered, nothing stale") {
  auto const attributes = GENERATE(as<std::string>(), "", "prefer-standby");
  CAPTURE(attributes);
  expect_back_in_time(lose_primary(attributes, Loss::crash));
}

TEST_CASE("two seconds after a standby was promoted in place of a primary that froze all is answered, nothing stale") {
  auto const attributes = GENERATE(as<std::string>(), "", "prefer-standby");
  CAPTURE(attributes);
  expect_back_in_time(lose_primary(attributes, Loss::freeze));
}

TEST_CASE("with target_session_attrs=any a standby answers while there is no primary") {
  auto const report = lose_primary("any", Loss::crash);
  expect_back_in_time(report);
  CHECK(report.between.answered > 100);
  CHECK(report.without_answers < 1s);
}
