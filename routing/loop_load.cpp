#include "routing/loop_load.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

namespace deployd::routing {
namespace {

// What may be spent on questions in a turn while there is overload; what comes later in the turn has waited for them.
constexpr std::chrono::microseconds turn_budget{250};

// A turn that is over sooner has had nothing to do that would be worth refusing.
constexpr std::chrono::milliseconds long_turn{2};

// After more than this between two turns they are not the same crowd's.
constexpr std::chrono::milliseconds longest_pause{20};

// In good health turns are looked at so often only.
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
  // Behind everything that is ready now.
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
