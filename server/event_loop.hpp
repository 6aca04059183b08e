// The event loop on which a thread's coroutines run.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <utility>

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

/// Leaves a loop, which must not be running, to the end of the process. Its destruction would wait for lookups of host
/// names, for up to half a minute if the name server does not answer.
void abandon(std::unique_ptr<EventLoop> loop);

/// Runs `loop` until `work` has ended, and returns its result. Other work of the loop may remain.
template <typename T>
T complete(boost::asio::io_context& loop, boost::asio::awaitable<T> work) {
  auto result = boost::asio::co_spawn(loop, std::move(work), boost::asio::use_future);
  while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) loop.run_one();
  return result.get();
}

}  // namespace deployd::server
