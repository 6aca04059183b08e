// The event loop on which a thread's coroutines run.
#pragma once

#include <boost/asio/io_context.hpp>

namespace deployd::server {

/// An io_context for one thread that continues when memory runs out, and whose coroutines can be destroyed before the
/// objects that they refer to.
class EventLoop : public boost::asio::io_context {
 public:
  using io_context::io_context;

  /// Runs until `stop`, or until there is no work left. Exceptions thrown by handlers are logged and the loop
  /// continues: a failure of one connection must not end the others.
  void run_on() noexcept;

  /// Destroys waiting handlers without running them. The loop must not be running, and cannot be used afterwards.
  void destroy_waiting() { shutdown(); }
};

}  // namespace deployd::server
