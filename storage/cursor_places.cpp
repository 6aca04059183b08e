#include "storage/cursor_places.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "storage/error.hpp"

namespace deployd::storage {
namespace {

using boost::system::result;
using Clock = std::chrono::steady_clock;

// A list is read as fast as its client takes it: of more than these, the last would hardly get a place in time.
constexpr std::size_t most_waiting = 256;

constexpr auto without_exceptions = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace

boost::asio::awaitable<result<CursorPlaces::Place>> CursorPlaces::take(Deadline deadline) {
  if (free_ > 0) {
    --free_;
    co_return Place(shared_from_this());
  }
  if (is_too_much()) co_return make_error_code(errc::overloaded);
  auto const waiting = std::make_shared<Waiting>(worker_);
  waiting_.push_back(waiting);
  waiting->timer.expires_at(deadline);
  while (!waiting->given && Clock::now() < deadline) co_await waiting->timer.async_wait(without_exceptions);
  if (waiting->given) co_return Place(shared_from_this());
  std::erase(waiting_, waiting);
  co_return make_error_code(errc::overloaded);
}

/// Whether one more would wait for too long; in overload as many wait as there are places.
bool CursorPlaces::is_too_much() noexcept {
  return waiting_.size() >= most_waiting || overload_.refuses(waiting_.size(), places_, Clock::now());
}

void CursorPlaces::pass_on() noexcept {
  if (waiting_.empty()) {
    ++free_;
    return;
  }
  auto const next = std::move(waiting_.front());
  waiting_.pop_front();
  next->given = true;
  next->timer.cancel();
}

}  // namespace deployd::storage
