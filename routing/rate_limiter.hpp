// How many requests a second one token may make.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace deployd::routing {

/// A token bucket for each key (the generic cell rate algorithm): `rate` requests a second on average, and as many at
/// once as one second brings, at least one. Shared by all workers; exists only when a limit is configured.
class RateLimiter {
 public:
  /// `rate` in requests a second, greater than 0.
  explicit RateLimiter(double rate);

  /// What a key may do from a moment on.
  struct Allowance {
    std::optional<std::chrono::nanoseconds> wait;  // until a request may pass; nothing: this one may
    std::int64_t remaining = 0;                    // further requests that may pass at once
    std::chrono::nanoseconds full_in{};            // until as many as ever may pass at once
  };

  Allowance admit(std::uint64_t key, std::chrono::steady_clock::time_point now);

  /// How many requests may pass at once, and in which time as many are earned.
  std::int64_t burst() const noexcept { return burst_ / interval_; }
  std::chrono::nanoseconds window() const noexcept { return burst_; }

 private:
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, std::chrono::steady_clock::time_point> full_again;  // when the bucket is full
    std::size_t sweep_at = 1024;
  };

  std::chrono::nanoseconds interval_;  // between two requests at the allowed rate
  std::chrono::nanoseconds burst_;     // how far ahead of that a key may be
  std::array<Shard, 16> shards_;
};

}  // namespace deployd::routing
