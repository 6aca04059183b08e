#include "base/wait_for_outcome.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace deployd::base {

boost::asio::awaitable<void> wait_for_outcome(boost::asio::steady_timer& timer, bool const& done) {
  constexpr auto without_exceptions = boost::asio::as_tuple(boost::asio::use_awaitable);
  auto const deadline = timer.expiry();
  while (!done && std::chrono::steady_clock::now() < deadline) co_await timer.async_wait(without_exceptions);
}

}  // namespace deployd::base
