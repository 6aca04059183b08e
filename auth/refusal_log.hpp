// Limits how often the reasons of refusals are logged.
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

/// Admits one log line for each reason in ten seconds, across all workers, and counts the other refusals. Uses constant
/// memory, whatever is sent. Safe to call from any thread.
class RefusalLog {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::seconds window{10};

  /// Returns the number of refusals for this reason since its last log line, if another line is due. Otherwise counts
  /// the refusal and returns nothing.
  std::optional<std::uint64_t> admit(Refusal why, Clock::time_point now) noexcept;

  /// The number of refusals that were not logged.
  struct HeldBack {
    Refusal why;
    std::uint64_t times;
  };

  /// Returns and resets the counts of windows that have ended by `now`. Must be called from time to time.
  std::vector<HeldBack> take_ended(Clock::time_point now);

 private:
  struct Reason {
    std::atomic<Clock::rep> window_ends{Clock::time_point::min().time_since_epoch().count()};
    std::atomic<std::uint64_t> held_back{0};
  };

  std::array<Reason, refusals> reasons_;
};

}  // namespace deployd::auth
