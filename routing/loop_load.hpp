// Detects the overload of an event loop.
#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>

#include "base/counter.hpp"
#include "base/overload.hpp"

namespace deployd::routing {

/// Watches the turns of a loop, in which everything that is ready is looked at once, and in overload lets only so many
/// requests ask the store in a turn that none of them waits long. For what is on the warm path a refusal would cost as
/// much as the answer, so it is neither counted nor refused. Of its loop's thread.
class LoopLoad {
 public:
  using Clock = std::chrono::steady_clock;

  /// Must outlive whatever runs on `loop`.
  explicit LoopLoad(boost::asio::io_context& loop) noexcept : loop_(loop) {}
  LoopLoad(LoopLoad const&) = delete;
  LoopLoad& operator=(LoopLoad const&) = delete;

  /// True if a request received by `now` may be processed; otherwise refuse it at once.
  bool admits(Clock::time_point now);

 private:
  void begin_turn(Clock::time_point now);
  void end_turn();

  boost::asio::io_context& loop_;
  base::Overload overload_;
  bool in_turn_ = false;
  bool last_was_long_ = false;
  std::size_t requests_ = 0;  // of this turn
  Clock::time_point turn_began_{};
  Clock::time_point turn_ended_{};
};

}  // namespace deployd::routing
