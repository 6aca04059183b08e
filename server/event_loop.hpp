// The loop on which a thread's coroutines run.
#pragma once

#include <boost/asio/io_context.hpp>

namespace deployd::server {

/// An io_context for one thread that goes on when memory runs out, and whose coroutines can be ended before what they
/// refer to.
class EventLoop : public boost::asio::io_context {
 public:
  using io_context::io_context;

  /// Runs until `stop`, or until there is no work left. What a handler throws is logged, and the loop goes on: the
  /// handlers of one connection are no reason to end the others.
  void run_on() noexcept;

  /// Destroys what still waits, without running it. The loop must not be running, and is of no use afterwards.
  void destroy_waiting() { shutdown(); }
};

}  // namespace deployd::server
