#include "server/http/reader_patience.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <optional>

using namespace deployd::server;
using namespace std::chrono_literals;

namespace {

using TimePoint = PhaseDeadline::TimePoint;

/// A reader that is waited for all the time and receives `rate` bytes a second in steps. When it is given up; nothing
/// when it is not for as long as `until`.
std::optional<Clock::duration> given_up_after(ReaderLimits const& limits, bool stream, std::uint64_t rate,
                                              Clock::duration step, Clock::duration until) {
  ReaderPatience patience(limits);
  TimePoint const start{};
  if (stream) patience.begin_stream(start, 0);
  patience.begin_wait(start, 0);
  for (auto passed = step; passed < until; passed += step) {
    auto const received =
        static_cast<std::uint64_t>(static_cast<double>(rate) * std::chrono::duration<double>(passed).count());
    if (!patience.look(start + passed, received)) return passed;
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("a reader that receives nothing is given up after the write timeout, and no sooner") {
  ReaderLimits const limits{30s, 10min, 0};
  CHECK(given_up_after(limits, false, 0, 100ms, 1h) == 30s);
  CHECK(given_up_after(limits, true, 0, 100ms, 1h) == 30s);
  CHECK_FALSE(given_up_after(limits, false, 1, 1s, 1h));
}

TEST_CASE("the reader of a stream is given up some seconds after it has fallen below the least rate") {
  ReaderLimits const limits{30s, 1h, 64 * 1024};
  auto const slow = given_up_after(limits, true, 1024, 100ms, 1h);
  REQUIRE(slow);
  CHECK(*slow > 4s);
  CHECK(*slow < 7s);
  CHECK_FALSE(given_up_after(limits, true, 65 * 1024, 100ms, 59min));
  CHECK_FALSE(given_up_after(limits, false, 1024, 100ms, 1h));
}

TEST_CASE("of a compressed list the least rate counts what it was before") {
  ReaderLimits const limits{30s, 1h, 64 * 1024};
  for (double const expansion : {1.0, 10.0}) {
    ReaderPatience patience(limits);
    TimePoint const start{};
    patience.begin_stream(start, 0);
    patience.set_expansion(expansion);
    patience.begin_wait(start, 0);
    auto waits = true;
    for (std::uint64_t second = 1; second <= 60 && waits; ++second)
      waits = patience.look(start + std::chrono::seconds(second), second * 10'000).has_value();
    CHECK(waits == (expansion > 1));
  }
}

TEST_CASE("a least rate of 0 lets a reader be as slow as it likes, until the stream timeout") {
  CHECK(given_up_after({30s, 10min, 0}, true, 1, 1s, 1h) == 10min);
}

TEST_CASE("what a fast stretch has earned lasts for the write timeout at most") {
  ReaderLimits const limits{30s, 1h, 64 * 1024};
  ReaderPatience patience(limits);
  TimePoint const start{};
  patience.begin_stream(start, 0);
  patience.begin_wait(start, 0);
  constexpr std::uint64_t much = std::uint64_t{1} << 40;
  REQUIRE(patience.look(start + 1s, much));
  std::uint64_t received = much;
  auto now = start + 1s;
  while (patience.look(now, received) && now < start + 10min) {
    now += 1s;
    received += 1024;
  }
  CHECK(now - start > 30s);
  CHECK(now - start < 35s);
}

TEST_CASE("time in which nobody waits for the reader of a stream is not held against it") {
  ReaderLimits const limits{30s, 1h, 64 * 1024};
  ReaderPatience patience(limits);
  TimePoint now{};
  patience.begin_stream(now, 0);
  for (int round = 0; round < 100; ++round) {
    now += 10s;  // the store took so long
    patience.begin_wait(now, 0);
    now += 10ms;
    REQUIRE(patience.look(now, 0));
  }
}
