#include "routing/loop_load.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

namespace deployd::routing {
namespace {

// The time for queries per turn during overload. Requests later in the turn have waited this long for them.
constexpr std::chrono::microseconds turn_budget{250};

// A shorter turn had too little work for refusals to pay off.
constexpr std::chrono::milliseconds long_turn{2};

// After a longer pause between two turns, their requests do not belong to the same queue.
constexpr std::chrono::milliseconds longest_pause{20};

// Without overload, turns are checked only this often.
constexpr std::chrono::milliseconds between_looks{5};

}  // namespace

bool LoopLoad::admits(Clock::time_point now) {
  bool const closely = last_was_long_ || overload_.lasts();
  if (!in_turn_ && (closely || now - turn_began_ >= between_looks)) begin_turn(now);
  ++requests_;
  if (!overload_.lasts()) return true;
  bool const refused = requests_ > 1 && now - turn_began_ > turn_budget;
  overload_.count(refused, now);
  if (!overload_.lasts()) spdlog::info("an event loop is no longer overloaded");
  return !refused;
}

void LoopLoad::begin_turn(Clock::time_point now) {
  in_turn_ = true;
  requests_ = 0;
  turn_began_ = now;
  // Runs after everything that is ready now.
  boost::asio::post(loop_, [this] { end_turn(); });
}

void LoopLoad::end_turn() {
  auto const now = Clock::now();
  in_turn_ = false;
  last_was_long_ = requests_ >= base::Overload::long_queue && now - turn_began_ >= long_turn;
  bool const before = overload_.lasts();
  overload_.note(last_was_long_, now, turn_began_ - turn_ended_ > longest_pause);
  turn_ended_ = now;
  if (overload_.lasts() != before)
    spdlog::warn("an event loop is overloaded: requests that would have to wait get 503");
}

}  // namespace deployd::routing
