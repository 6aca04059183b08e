#include "storage/cursor_places.hpp"

#include "storage/error.hpp"
#include "storage/wait_for_outcome.hpp"

namespace deployd::storage {
namespace {

using boost::system::result;
using Clock = std::chrono::steady_clock;

// A list is read as fast as its client takes it: of more than these, the last would hardly get a place in time.
constexpr std::size_t most_waiting = 256;

}  // namespace

boost::asio::awaitable<result<CursorPlaces::Place>> CursorPlaces::take(Deadline deadline) {
  if (is_too_much()) co_return make_error_code(errc::overloaded);
  if (free_ > 0) {
    --free_;
    co_return Place(shared_from_this());
  }
  auto const waiting = std::make_shared<Waiting>(worker_);
  waiting_.push_back(waiting);
  waiting->timer.expires_at(deadline);
  co_await wait_for_outcome(waiting->timer, waiting->given);
  if (waiting->given) co_return Place(shared_from_this());
  std::erase(waiting_, waiting);
  co_return make_error_code(errc::overloaded);
}

/// True if one more list would wait too long. Under overload no list waits: the lists in the places share one core, so
/// each takes as many times longer as there are places.
bool CursorPlaces::is_too_much() noexcept {
  auto const before = places_ - free_ + waiting_.size();
  return waiting_.size() >= most_waiting || overload_.refuses(before, places_, Clock::now());
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
