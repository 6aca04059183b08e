// The wait of one coroutine for what another one, or a handler of the same thread, leaves for it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace deployd::base {

/// Waits until `done`, or until `timer` expires; the caller then looks which. Whoever sets `done` cancels the timer, on
/// the thread of this. Both must outlive the wait.
boost::asio::awaitable<void> wait_for_outcome(boost::asio::steady_timer& timer, bool const& done);

}  // namespace deployd::base
