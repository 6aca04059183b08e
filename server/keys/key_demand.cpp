#include "server/keys/key_demand.hpp"

#include <algorithm>
#include <utility>

namespace deployd::server {
namespace {

/// Returns how long a `kid` causes no fetch after it was fetched for in vain `times` times.
std::chrono::seconds pause_after(unsigned times) {
  constexpr unsigned times_of_the_shortest = 3;
  auto pause = KeyDemand::between_fetches;
  for (auto time = times_of_the_shortest; time < times && pause < KeyDemand::longest_pause; ++time) pause *= 2;
  return std::min(pause, KeyDemand::longest_pause);
}

}  // namespace

void KeyDemand::set_kids(std::set<std::string, std::less<>> kids, bool rotated, Clock::time_point now) {
  for (auto const& kid : kids_)
    if (!kids.contains(kid)) remember_missing({kid, now + longest_pause, 0});
  std::erase_if(missing_, [&](Missing const& missing) { return kids.contains(missing.kid); });
  kids_ = std::move(kids);
  if (rotated) waiting_pays_ = true;
}

KeyDemand::Advice KeyDemand::missed(std::string_view kid, Clock::time_point now, Clock::time_point next_fetch) {
  // Known here but not yet to the worker that asks: it is about to receive the key.
  if (kids_.contains(kid)) return {.wait = true};
  auto const missing = std::ranges::find(missing_, kid, &Missing::kid);
  if (missing != missing_.end() && now < missing->until) return {};
  if (std::ranges::find(wanted_, kid, &Wanted::kid) != wanted_.end()) return {.wait = true};
  if (wanted_.size() >= max_kids) return {};
  auto const earliest = last_fetch_ ? std::max(now, *last_fetch_ + between_fetches) : now;
  bool const held = earliest > now;
  if (held && !waiting_pays_ && std::min(earliest, next_fetch) > now + longest_common_wait) return {};
  wanted_.push_back({std::string(kid), now, held});
  if (planned_fetch_) return {.wait = true};
  planned_fetch_ = earliest;
  return {.wait = true, .fetch_at = earliest};
}

bool KeyDemand::begin_fetch(Clock::time_point now) {
  planned_fetch_.reset();
  std::erase_if(wanted_, [&](Wanted const& wanted) { return kids_.contains(wanted.kid); });
  if (wanted_.empty()) return false;
  last_fetch_ = now;
  return true;
}

bool KeyDemand::end_fetch(Clock::time_point begin, bool failed) {
  bool in_vain = false;
  for (auto& wanted : wanted_) {
    if (wanted.since > begin || kids_.contains(wanted.kid)) continue;
    in_vain = true;
    if (wanted.held) waiting_pays_ = false;
    auto const missing = std::ranges::find(missing_, wanted.kid, &Missing::kid);
    auto const times = (missing == missing_.end() ? 0 : missing->times) + (failed ? 0 : 1);
    remember_missing({std::move(wanted.kid), begin + pause_after(times), times});
  }
  std::erase_if(wanted_, [&](Wanted const& wanted) { return wanted.since <= begin; });
  return in_vain;
}

void KeyDemand::remember_missing(Missing missing) {
  std::erase_if(missing_, [&](Missing const& other) { return other.kid == missing.kid; });
  if (missing_.size() >= max_kids) missing_.erase(missing_.begin());
  missing_.push_back(std::move(missing));
}

}  // namespace deployd::server
