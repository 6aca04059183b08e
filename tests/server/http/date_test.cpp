#include "server/http/worker_clock.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <string>
#include <string_view>

using deployd::server::HttpDate;
using namespace std::chrono_literals;

namespace {

std::string at(std::int64_t seconds) {
  HttpDate date;
  return std::string(date.at(std::chrono::sys_seconds(std::chrono::seconds(seconds))));
}

}  // namespace

TEST_CASE("a date is an IMF-fixdate") {
  struct Row {
    std::int64_t seconds;
    std::string_view want;
  };
  auto const row =
      GENERATE(Row{0, "Thu, 01 Jan 1970 00:00:00 GMT"}, Row{784'111'777, "Sun, 06 Nov 1994 08:49:37 GMT"},
               Row{951'782'400, "Tue, 29 Feb 2000 00:00:00 GMT"}, Row{1'709'251'199, "Thu, 29 Feb 2024 23:59:59 GMT"},
               Row{1'798'761'599, "Thu, 31 Dec 2026 23:59:59 GMT"}, Row{4'107'542'400, "Mon, 01 Mar 2100 00:00:00 GMT"},
               Row{9'214'646'399, "Tue, 31 Dec 2261 23:59:59 GMT"});
  CHECK(at(row.seconds) == row.want);
}

TEST_CASE("a date is the same throughout its second and renewed with the next, also backwards") {
  HttpDate date;
  std::chrono::sys_time<std::chrono::milliseconds> const second(784'111'777s);
  CHECK(date.at(second) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(date.at(second + 999ms) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(date.at(second + 1000ms) == "Sun, 06 Nov 1994 08:49:38 GMT");
  CHECK(date.at(second - 1ms) == "Sun, 06 Nov 1994 08:49:36 GMT");
}
