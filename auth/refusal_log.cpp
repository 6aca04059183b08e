#include "auth/refusal_log.hpp"

namespace deployd::auth {

std::optional<std::uint64_t> RefusalLog::admit(Refusal why, Clock::time_point now) noexcept {
  auto& reason = reasons_[static_cast<std::size_t>(why)];
  auto ends = reason.window_ends.load(std::memory_order_relaxed);
  bool const due = now.time_since_epoch().count() >= ends;
  // If several workers see the end of a window, only one opens the next.
  if (due && reason.window_ends.compare_exchange_strong(ends, (now + window).time_since_epoch().count(),
                                                        std::memory_order_relaxed))
    return reason.held_back.exchange(0, std::memory_order_relaxed);
  reason.held_back.fetch_add(1, std::memory_order_relaxed);
  return std::nullopt;
}

std::vector<RefusalLog::HeldBack> RefusalLog::take_ended(Clock::time_point now) {
  std::vector<HeldBack> ended;
  for (std::size_t i = 0; i < reasons_.size(); ++i) {
    auto& reason = reasons_[i];
    if (now.time_since_epoch().count() < reason.window_ends.load(std::memory_order_relaxed)) continue;
    if (auto const times = reason.held_back.exchange(0, std::memory_order_relaxed); times != 0)
      ended.push_back({static_cast<Refusal>(i), times});
  }
  return ended;
}

}  // namespace deployd::auth
