#include "storage/cursor_places.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/error.hpp"

namespace deployd::storage {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Taken = boost::system::result<CursorPlaces::Place>;

struct Asked {
  boost::asio::io_context loop{1};
  std::shared_ptr<CursorPlaces> places;
  std::vector<std::optional<Taken>> taken;  // by the order in which they were asked for
  std::vector<std::size_t> order;           // in which they were answered

  explicit Asked(std::size_t count) : places(std::make_shared<CursorPlaces>(loop.get_executor(), count)) {}
  ~Asked() { taken.clear(); }

  /// For a token that no other list has.
  void ask(milliseconds timeout = std::chrono::seconds(30)) { ask_for(1000 + taken.size(), timeout); }

  /// The number that stands for it.
  std::size_t ask_for(std::uint64_t token, milliseconds timeout = std::chrono::seconds(30)) {
    auto const number = taken.size();
    taken.emplace_back();
    boost::asio::co_spawn(loop, wait(number, token, Clock::now() + timeout), boost::asio::detached);
    turn();
    return number;
  }

  /// Everything that can go on goes on.
  void turn() {
    loop.restart();
    loop.poll();
  }

  bool holds(std::size_t number) const { return taken[number] && taken[number]->has_value(); }

  void give_back(std::size_t number) {
    taken[number].reset();
    turn();
  }

 private:
  boost::asio::awaitable<void> wait(std::size_t number, std::uint64_t token, Clock::time_point deadline) {
    auto place = co_await places->take(token, deadline);
    taken[number].emplace(std::move(place));
    order.push_back(number);
  }
};

TEST_CASE("places are given in the order in which they were asked for") {
  Asked asked(2);
  for (int i = 0; i < 6; ++i) asked.ask();
  CHECK(asked.order == std::vector<std::size_t>{0, 1});
  asked.give_back(1);
  asked.give_back(0);
  CHECK(asked.order == std::vector<std::size_t>{0, 1, 2, 3});
  asked.ask();
  asked.give_back(2);
  asked.give_back(3);
  asked.give_back(4);
  CHECK(asked.order == std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6});
}

TEST_CASE("who comes while others wait does not get in before them") {
  Asked asked(1);
  asked.ask();
  asked.ask();
  asked.taken[0].reset();  // passed on, and not yet noticed
  asked.ask();
  CHECK(asked.order == std::vector<std::size_t>{0, 1});
  CHECK(asked.holds(1));
}

TEST_CASE("waiting for a place ends at the deadline, and the place goes to the next") {
  Asked asked(1);
  asked.ask();
  asked.ask(milliseconds(1));
  asked.ask();
  asked.loop.restart();
  asked.loop.run_one_for(std::chrono::seconds(30));
  REQUIRE(asked.taken[1]);
  CHECK(asked.taken[1]->error() == errc::overloaded);
  asked.give_back(0);
  CHECK(asked.holds(2));
}

TEST_CASE("when very many wait for a place, the next is refused at once") {
  Asked asked(1);
  do asked.ask();
  while (asked.taken.size() < 10'000 && !(asked.taken.size() > 1 && asked.taken.back()));
  CHECK(asked.taken.size() == 1 + 256 + 1);
  CHECK(asked.taken.back()->error() == errc::overloaded);
}

TEST_CASE("in overload nobody waits for a place, until few have to be refused") {
  Asked asked(2);
  for (int i = 0; i < 125; ++i) asked.ask();
  auto const deadline = Clock::now() + std::chrono::seconds(30);
  while (true) {
    asked.ask(milliseconds(1));
    if (asked.taken.back()) break;  // refused at once
    while (!asked.taken.back()) {
      asked.loop.restart();
      asked.loop.run_one_for(milliseconds(1));
    }
    REQUIRE(Clock::now() < deadline);
  }
  for (std::size_t i = 0; i < 125; ++i) asked.give_back(i);

  auto const ask_three = [&] {
    auto const first = asked.taken.size();
    for (int i = 0; i < 3; ++i) asked.ask();
    REQUIRE(asked.holds(first));
    REQUIRE(asked.holds(first + 1));
    bool const refused = asked.taken.back().has_value();
    if (refused) CHECK(asked.taken.back()->error() == errc::overloaded);
    for (std::size_t i = 0; i < 3; ++i) asked.give_back(first + i);
    return refused;
  };
  CHECK(ask_three());
  while (ask_three()) {
    REQUIRE(Clock::now() < deadline);
    for (int i = 0; i < 20; ++i) {
      asked.ask();
      asked.give_back(asked.taken.size() - 1);
    }
  }
}

TEST_CASE("a token holds half of the places at most, and the others are for others") {
  for (std::size_t const places : {2U, 3U, 4U, 8U}) {
    CAPTURE(places);
    Asked asked(places);
    for (std::size_t i = 0; i < places; ++i) asked.ask_for(1);
    CHECK(asked.order.size() == places / 2);
    for (std::uint64_t token = 2; asked.order.size() < places; ++token) CHECK(asked.holds(asked.ask_for(token)));
    asked.give_back(0);
    CHECK(asked.holds(places / 2));
  }
}

TEST_CASE("the only place there is goes to whoever asks") {
  Asked asked(1);
  CHECK(asked.holds(asked.ask_for(1)));
}

TEST_CASE("a place goes to the token that holds the fewest, and then to whoever waits longest") {
  Asked asked(4);
  for (int i = 0; i < 5; ++i) asked.ask_for(1);  // 0 to 4: two of them hold a place
  auto const two = asked.ask_for(2);
  auto const also_two = asked.ask_for(2);
  auto const third_of_two = asked.ask_for(2);
  auto const three = asked.ask_for(3);
  auto const four = asked.ask_for(4);
  CHECK(asked.order == std::vector<std::size_t>{0, 1, two, also_two});
  asked.give_back(0);
  CHECK(asked.holds(three));
  asked.give_back(1);
  CHECK(asked.holds(2));
  asked.give_back(two);
  CHECK(asked.holds(four));
  asked.give_back(also_two);
  CHECK(asked.holds(third_of_two));
  asked.give_back(three);
  CHECK(asked.holds(3));
  asked.give_back(four);  // no waiting list may have it
  CHECK_FALSE(asked.taken[4]);
  asked.give_back(2);
  CHECK(asked.holds(4));
}

TEST_CASE("a token that asks for very many does not fill the queue, and others go before them") {
  Asked asked(4);
  do asked.ask_for(1);
  while (asked.taken.size() < 1000 && !(asked.taken.size() > 2 && asked.taken.back()));
  CHECK(asked.taken.size() == 2 + 128 + 1);
  CHECK(asked.taken.back()->error() == errc::overloaded);
  for (std::uint64_t token = 2; token <= 3; ++token) CHECK(asked.holds(asked.ask_for(token)));
  auto const waits = asked.ask_for(4);
  CHECK_FALSE(asked.taken[waits]);
  asked.give_back(0);
  CHECK(asked.holds(waits));
}

TEST_CASE("a token that brings about overload is refused at once, and others still wait for their turn") {
  Asked asked(4);
  for (int i = 0; i < 125; ++i) asked.ask_for(1);
  auto const deadline = Clock::now() + std::chrono::seconds(30);
  while (true) {
    auto const number = asked.ask_for(1, milliseconds(1));
    if (asked.taken[number]) break;  // refused at once
    while (!asked.taken[number]) {
      asked.loop.restart();
      asked.loop.run_one_for(milliseconds(1));
    }
    REQUIRE(Clock::now() < deadline);
  }
  auto const two = asked.ask_for(2);
  auto const three = asked.ask_for(3);
  CHECK(asked.holds(two));
  CHECK(asked.holds(three));
  auto const four = asked.ask_for(4);
  CHECK_FALSE(asked.taken[four]);
  asked.give_back(three);
  CHECK(asked.holds(four));
}

TEST_CASE("a place outlives the store that gave it") {
  Asked asked(1);
  asked.ask();
  asked.places.reset();
  asked.give_back(0);
  CHECK_FALSE(asked.taken[0]);
}

}  // namespace
}  // namespace deployd::storage
