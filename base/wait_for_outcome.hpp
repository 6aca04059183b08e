// Lets a coroutine wait for the result of another coroutine or handler on the same thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace deployd::base {

/// Waits until `done` is true or `timer` expires; the caller then checks which. The code that sets `done` must cancel
/// the timer, on the same thread. Both must outlive the wait.
boost::asio::awaitable<void> wait_for_outcome(boost::asio::steady_timer& timer, bool const& done);

}  // namespace deployd::base
