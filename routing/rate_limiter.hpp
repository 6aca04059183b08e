// Limits the requests per second of each token, and describes the limit in header fields.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
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

/// The header lines of draft-ietf-httpapi-ratelimit-headers-10. `q` requests are allowed at once, `w` is the time in
/// which as many become available again, `r` are left, and in `t` seconds all are available (after a refusal: one is):
///
/// RateLimit-Policy: "default";q=10;w=1
///      RateLimit: "default";r=7;t=1
class RateLimitFields {
 public:
  /// No lines, if there is no limit.
  RateLimitFields() = default;
  RateLimitFields(RateLimiter const& limiter, RateLimiter::Allowance const& allowance) noexcept;

  /// The lines, each ending in CRLF. Valid until this object is moved or destroyed.
  std::string_view lines() const noexcept { return {text_.data(), size_}; }

 private:
  void append(std::string_view text) noexcept;
  void append(std::int64_t number) noexcept;

  std::array<char, 160> text_;
  std::size_t size_ = 0;
};

}  // namespace deployd::routing
