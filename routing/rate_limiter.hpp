// Limits the requests per second of each token.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace deployd::routing {

/// A token bucket for each key (the generic cell rate algorithm): `rate` requests per second on average, and bursts of
/// as many as one second allows, at least one. Shared by all workers. Exists only if a limit is configured.
class RateLimiter {
 public:
  /// `rate` is in requests per second and must be greater than 0.
  explicit RateLimiter(double rate);

  /// The limit of a key at some time.
  struct Allowance {
    std::optional<std::chrono::nanoseconds> wait;  // until a request is allowed; nothing if this one is
    std::int64_t remaining = 0;                    // further requests that are allowed at once
    std::chrono::nanoseconds full_in{};            // until a full burst is allowed
  };

  Allowance admit(std::uint64_t key, std::chrono::steady_clock::time_point now);

  /// Returns the number of requests that are allowed at once, and the time in which as many become available.
  std::int64_t burst() const noexcept { return burst_ / interval_; }
  std::chrono::nanoseconds window() const noexcept { return burst_; }

 private:
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, std::chrono::steady_clock::time_point> full_again;  // when the bucket is full
    std::size_t sweep_at = 1024;
  };

  std::chrono::nanoseconds interval_;  // between two requests at the allowed rate
  std::chrono::nanoseconds burst_;     // how far a key may be ahead of that rate
  std::array<Shard, 16> shards_;
};

}  // namespace deployd::routing
