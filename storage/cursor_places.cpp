#include "storage/cursor_places.hpp"

#include <algorithm>
#include <map>

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

/// A list without a place; the outcome is true when it gets one.
struct CursorPlaces::Waiting : base::Awaited<bool> {
  Waiting(boost::asio::any_io_executor const& worker, Deadline deadline, std::uint64_t of)
      : Awaited(worker, deadline, false), token(of) {}

  std::uint64_t token;
};

CursorPlaces::CursorPlaces(boost::asio::any_io_executor worker, std::size_t places)
    : worker_(std::move(worker)),
      places_(places),
      share_(std::max(places / 2, std::size_t{1})),
      overload_(2 * (places + 1)) {
  held_.reserve(places);
}

boost::asio::awaitable<result<CursorPlaces::Place>> CursorPlaces::take(std::uint64_t token, Deadline deadline) {
  if (is_too_much(token)) co_return make_error_code(errc::overloaded);
  if (may_go(token)) {
    held_.push_back(token);
    co_return Place(shared_from_this(), token);
  }
  auto const waiting = std::make_shared<Waiting>(worker_, deadline, token);
  waiting_.push_back(waiting);
  co_await waiting->wait();
  if (waiting->value) co_return Place(shared_from_this(), token);
  std::erase(waiting_, waiting);
  co_return make_error_code(errc::overloaded);
}

std::size_t CursorPlaces::held_by(std::uint64_t token) const noexcept {
  return static_cast<std::size_t>(std::ranges::count(held_, token));
}

std::size_t CursorPlaces::awaited_by(std::uint64_t token) const noexcept {
  auto const is_its = [token](auto const& waiting) { return waiting->token == token; };
  return static_cast<std::size_t>(std::ranges::count_if(waiting_, is_its));
}

/// Returns how many lists are read before one more of this token, if the tokens take turns.
std::size_t CursorPlaces::before(std::uint64_t token) const {
  std::map<std::uint64_t, std::size_t> lists{{token, 0}};
  for (auto const of : held_) ++lists[of];
  for (auto const& waiting : waiting_) ++lists[waiting->token];
  auto const own = lists[token];
  std::size_t count = 0;
  for (auto const& [of, number] : lists) count += of == token ? own : std::min(number, own + 1);
  return count;
}

/// Returns true if one more list would wait too long. In overload hardly any list may wait: the lists being read share
/// one core, so reading one takes longer by a factor of their number.
bool CursorPlaces::is_too_much(std::uint64_t token) {
  auto const now = Clock::now();
  overload_.note(held_.size() + waiting_.size() >= base::Overload::long_queue, now);
  auto const awaited = awaited_by(token);
  bool const full = waiting_.size() >= most_waiting || awaited >= most_waiting_for_one;
  if (!overload_.lasts()) return full && !may_go(token);
  bool const refused = !may_go(token) && (full || held_by(token) + awaited >= share_ || before(token) >= places_);
  overload_.count(refused, now);
  return refused;
}

/// Returns the list that gets the free place, or the end if none may have it.
CursorPlaces::Queue::iterator CursorPlaces::next() noexcept {
  auto best = waiting_.end();
  auto fewest = share_;
  for (auto waiting = waiting_.begin(); waiting != waiting_.end() && fewest > 0; ++waiting) {
    auto const held = held_by((*waiting)->token);
    if (held >= fewest) continue;
    fewest = held;
    best = waiting;
  }
  return best;
}

void CursorPlaces::give_back(std::uint64_t token) noexcept {
  held_.erase(std::ranges::find(held_, token));
  auto const chosen = next();
  if (chosen == waiting_.end()) return;
  auto const waiting = std::move(*chosen);
  waiting_.erase(chosen);
  held_.push_back(waiting->token);
  waiting->finish(true);
}

}  // namespace deployd::storage
