#include "storage/cursor_places.hpp"

#include <algorithm>

#include "base/wait_for_outcome.hpp"
#include "storage/error.hpp"

namespace deployd::storage {
namespace {

using boost::system::result;
using Clock = std::chrono::steady_clock;

// A list is read as fast as its client receives it. With a longer queue, the last would hardly get a place in time.
constexpr std::size_t most_waiting = 256;
constexpr std::size_t most_waiting_for_one = most_waiting / 2;

}  // namespace

CursorPlaces::CursorPlaces(boost::asio::any_io_executor worker, std::size_t places)
    : worker_(std::move(worker)),
      places_(places),
      share_(std::max(places / 2, std::size_t{1})),
      free_(places),
      overload_(2 * (places + 1)) {
  shares_.reserve(places + most_waiting + 1);
}

boost::asio::awaitable<result<CursorPlaces::Place>> CursorPlaces::take(std::uint64_t token, Deadline deadline) {
  auto& share = share_of(token);
  if (is_too_much(share)) {
    forget_if_empty(token);
    co_return make_error_code(errc::overloaded);
  }
  if (may_go(share)) {
    hold(share);
    co_return Place(shared_from_this(), token);
  }
  forget_if_empty(token);  // until nothing can throw any more
  auto const waiting = std::make_shared<Waiting>(worker_, token);
  waiting_.push_back(waiting);
  ++share_of(token).waiting;
  waiting->timer.expires_at(deadline);
  co_await base::wait_for_outcome(waiting->timer, waiting->given);
  if (waiting->given) co_return Place(shared_from_this(), token);
  leave(waiting);
  co_return make_error_code(errc::overloaded);
}

CursorPlaces::Share& CursorPlaces::share_of(std::uint64_t token) noexcept {
  auto const found = std::ranges::find(shares_, token, &Share::token);
  return found != shares_.end() ? *found : shares_.emplace_back(Share{.token = token});
}

void CursorPlaces::forget_if_empty(std::uint64_t token) noexcept {
  auto const found = std::ranges::find(shares_, token, &Share::token);
  if (found->all() == 0) shares_.erase(found);
}

void CursorPlaces::hold(Share& share) noexcept {
  --free_;
  ++share.held;
}

void CursorPlaces::leave(std::shared_ptr<Waiting> const& waiting) noexcept {
  std::erase(waiting_, waiting);
  --std::ranges::find(shares_, waiting->token, &Share::token)->waiting;
  forget_if_empty(waiting->token);
}

/// Returns how many lists are read before one more of this token, if the tokens take turns.
std::size_t CursorPlaces::before(Share const& share) const noexcept {
  auto count = share.all();
  for (auto const& other : shares_)
    if (other.token != share.token) count += std::min(other.all(), share.all() + 1);
  return count;
}

/// Returns true if one more list would wait too long. In overload hardly any list may wait: the lists being read share
/// one core, so reading one takes longer by a factor of their number.
bool CursorPlaces::is_too_much(Share const& share) noexcept {
  auto const now = Clock::now();
  overload_.note(places_ - free_ + waiting_.size() >= base::Overload::long_queue, now);
  bool const full = waiting_.size() >= most_waiting || share.waiting >= most_waiting_for_one;
  if (!overload_.lasts()) return full && !may_go(share);
  bool const refused = !may_go(share) && (full || share.all() >= share_ || before(share) >= places_);
  overload_.count(refused, now);
  return refused;
}

/// Returns the list that gets the free place, or the end if none may have it.
CursorPlaces::Queue::iterator CursorPlaces::next() noexcept {
  auto best = waiting_.end();
  auto fewest = share_;
  for (auto waiting = waiting_.begin(); waiting != waiting_.end() && fewest > 0; ++waiting) {
    auto const held = std::ranges::find(shares_, (*waiting)->token, &Share::token)->held;
    if (held >= fewest) continue;
    fewest = held;
    best = waiting;
  }
  return best;
}

void CursorPlaces::give_back(std::uint64_t token) noexcept {
  ++free_;
  --std::ranges::find(shares_, token, &Share::token)->held;
  auto const chosen = next();
  if (chosen != waiting_.end()) {
    auto const waiting = std::move(*chosen);
    waiting_.erase(chosen);
    auto& share = *std::ranges::find(shares_, waiting->token, &Share::token);
    --share.waiting;
    hold(share);
    waiting->given = true;
    waiting->timer.cancel();
  }
  forget_if_empty(token);
}

}  // namespace deployd::storage
