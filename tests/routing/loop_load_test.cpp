#include "routing/loop_load.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>

using deployd::base::Overload;
using deployd::routing::LoopLoad;
using namespace std::chrono_literals;

namespace {

/// An event loop whose turns are as busy as is wanted.
class Loop {
 public:
  /// One turn with so many requests that each take so long; how many of them were admitted.
  int turn(int requests, std::chrono::microseconds each) {
    int admitted = 0;
    for (int i = 0; i < requests; ++i) {
      if (!load_.admits(LoopLoad::Clock::now())) continue;
      ++admitted;
      work(each);
    }
    io_.restart();
    io_.poll();
    return admitted;
  }

  /// Turns of this kind for so long, in each of which all must be admitted.
  void turns(std::chrono::milliseconds time, int requests, std::chrono::microseconds each) {
    for (auto const end = LoopLoad::Clock::now() + time; LoopLoad::Clock::now() < end;)
      REQUIRE(turn(requests, each) == requests);
  }

  /// The same until one is refused; false when that takes longer than `patience`.
  bool refuses_within(std::chrono::milliseconds patience, int requests, std::chrono::microseconds each) {
    for (auto const end = LoopLoad::Clock::now() + patience; LoopLoad::Clock::now() < end;)
      if (turn(requests, each) < requests) return true;
    return false;
  }

 private:
  static void work(std::chrono::microseconds time) {
    for (auto const end = LoopLoad::Clock::now() + time; LoopLoad::Clock::now() < end;) {
    }
  }

  boost::asio::io_context io_;
  LoopLoad load_{io_};
};

}  // namespace

TEST_CASE("64 clients that wait for their answers are admitted for ever, and so is a burst") {
  Loop loop;
  loop.turns(400ms, 64, 100us);
  loop.turns(10ms, 250, 30us);
  loop.turns(400ms, 64, 100us);
}

TEST_CASE("many cheap requests in a turn are no overload") {
  Loop loop;
  loop.turns(400ms, 250, 1us);
}

TEST_CASE("when turns stay long, only the first requests of each are admitted, at least one") {
  Loop loop;
  REQUIRE(loop.refuses_within(5s, 250, 50us));
  auto const admitted = loop.turn(250, 50us);
  CHECK(admitted >= 1);
  CHECK(admitted <= 6);
  CHECK(loop.turn(250, 1ms) == 1);
}

TEST_CASE("all are admitted again when there are few") {
  Loop loop;
  REQUIRE(loop.refuses_within(5s, 250, 50us));
  auto const end = LoopLoad::Clock::now() + Overload::window * 3;
  while (LoopLoad::Clock::now() < end) loop.turn(1, 10us);
  CHECK(loop.turn(40, 100us) == 40);
}
