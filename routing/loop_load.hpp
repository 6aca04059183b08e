// Detects the overload of an event loop.
#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>

#include "base/counter.hpp"
#include "base/overload.hpp"

namespace deployd::routing {

/// Watches the turns of a loop, in which everything that is ready is processed once. During overload it admits only so
/// many requests that need the store per turn that none of them waits long. On the warm path a refusal would cost as
/// much as the response, so such requests are neither counted nor refused. Must be used on the thread of the loop.
class LoopLoad {
 public:
  using Clock = std::chrono::steady_clock;

  /// Must outlive all handlers that run on `loop`.
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
  std::size_t requests_ = 0;  // in this turn
  Clock::time_point turn_began_{};
  Clock::time_point turn_ended_{};
};

}  // namespace deployd::routing
