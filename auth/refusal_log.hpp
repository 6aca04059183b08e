// How often the log says why tokens are refused.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "auth/refusal.hpp"

namespace deployd::auth {

/// Lets one line through for each reason in ten seconds, whichever worker is first, and counts the other refusals.
/// Takes no memory, whatever is sent. Any thread.
class RefusalLog {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::seconds window{10};

  /// Returns the number of refusals for this reason since its last log line, if another line is due. Otherwise counts
  /// the refusal and returns nothing.
  std::optional<std::uint64_t> admit(Refusal why, Clock::time_point now) noexcept;

  /// Refusals of which no line has told.
  struct HeldBack {
    Refusal why;
    std::uint64_t times;
  };

  /// What was counted in windows that have ended by `now`. To be called now and then.
  std::vector<HeldBack> take_ended(Clock::time_point now);

 private:
  struct Reason {
    std::atomic<Clock::rep> window_ends{Clock::time_point::min().time_since_epoch().count()};
    std::atomic<std::uint64_t> held_back{0};
  };

  std::array<Reason, refusals> reasons_;
};

}  // namespace deployd::auth
