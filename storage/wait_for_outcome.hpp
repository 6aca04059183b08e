// The wait of one coroutine for what another one, or a handler of the same thread, leaves for it.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace deployd::storage {

/// Waits until `outcome` is true, or `timer` expires; the caller then looks which. Whoever sets `outcome` cancels the
/// timer, on the thread of this. Both must outlive the wait.
template <typename Outcome>
boost::asio::awaitable<void> wait_for_outcome(boost::asio::steady_timer& timer, Outcome const& outcome) {
  constexpr auto without_exceptions = boost::asio::as_tuple(boost::asio::use_awaitable);
  auto const deadline = timer.expiry();
  while (!outcome && std::chrono::steady_clock::now() < deadline) co_await timer.async_wait(without_exceptions);
}

}  // namespace deployd::storage
