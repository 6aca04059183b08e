// Lets a coroutine wait for the result of another coroutine or handler on the same thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <utility>

namespace deployd::base {

/// Waits until `done` is true or `timer` expires; the caller then checks which. The code that sets `done` must cancel
/// the timer, on the same thread. Both must outlive the wait.
boost::asio::awaitable<void> wait_for_outcome(boost::asio::steady_timer& timer, bool const& done);

/// An outcome for which coroutines wait. They usually share it with the one that provides it, since either may end
/// first.
template <typename T>
struct Awaited {
  /// Without an outcome by `deadline`, `value` stays `otherwise`.
  Awaited(boost::asio::any_io_executor const& worker, boost::asio::steady_timer::time_point deadline, T otherwise)
      : timer(worker, deadline), value(std::move(otherwise)) {}

  void finish(T outcome) {
    value = std::move(outcome);
    done = true;
    timer.cancel();
  }

  /// Waits for the outcome or the deadline.
  boost::asio::awaitable<void> wait() { return wait_for_outcome(timer, done); }

  boost::asio::steady_timer timer;
  T value;
  bool done = false;
};

}  // namespace deployd::base
