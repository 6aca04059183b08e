#include "server/log/repeat_filter.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using deployd::server::RepeatFilter;

namespace {

constexpr RepeatFilter::TimePoint start{};
constexpr auto level = spdlog::level::warn;

/// How many of `times` the same lines are let through.
std::size_t admitted(RepeatFilter& filter, std::string const& line, std::size_t times, RepeatFilter::TimePoint now) {
  std::size_t let_through = 0;
  for (std::size_t time = 0; time < times; ++time) let_through += filter.admit(level, line, now) ? 1U : 0U;
  return let_through;
}

}  // namespace

TEST_CASE("of lines that repeat the first few are let through and the others counted") {
  RepeatFilter filter;
  CHECK(admitted(filter, "a", 100, start) == RepeatFilter::burst);
  CHECK(admitted(filter, "b", 1, start) == 1);
  CHECK(filter.take_ended(start + RepeatFilter::window / 2).empty());
  auto const held_back = filter.take_ended(start + RepeatFilter::window);
  REQUIRE(held_back.size() == 1);
  CHECK(held_back[0].line == "a");
  CHECK(held_back[0].level == level);
  CHECK(held_back[0].times == 100 - RepeatFilter::burst);
}

TEST_CASE("a new window lets lines through again") {
  RepeatFilter filter;
  CHECK(admitted(filter, "a", 20, start) == RepeatFilter::burst);
  filter.take_ended(start + RepeatFilter::window);
  CHECK(admitted(filter, "a", 20, start + RepeatFilter::window) == RepeatFilter::burst);
}

TEST_CASE("lines that differ are all let through, however many they are") {
  RepeatFilter filter;
  std::size_t let_through = 0;
  for (int line = 0; line < 5000; ++line) let_through += admitted(filter, std::to_string(line), 1, start);
  CHECK(let_through == 5000);
  CHECK(filter.take_ended(RepeatFilter::TimePoint::max()).empty());
}
