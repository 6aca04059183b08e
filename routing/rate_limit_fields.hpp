// How a client is told of its limit.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "routing/rate_limiter.hpp"

namespace deployd::routing {

/// The header lines of draft-ietf-httpapi-ratelimit-headers-10, where `q` requests may come at once, `w` is the time in
/// which as many are earned anew, `r` are left, and in `t` seconds all are there again (of a refusal: one is):
///
///     RateLimit-Policy: "default";q=10;w=1
///     RateLimit: "default";r=7;t=1
class RateLimitFields {
 public:
  /// No lines: where there is no limit.
  RateLimitFields() = default;
  RateLimitFields(RateLimiter const& limiter, RateLimiter::Allowance const& allowance) noexcept;

  /// Each ends in CRLF. Valid as long as this is neither moved nor destroyed.
  std::string_view lines() const noexcept { return {text_.data(), size_}; }

 private:
  void append(std::string_view text) noexcept;
  void append(std::int64_t number) noexcept;

  std::array<char, 160> text_;
  std::size_t size_ = 0;
};

}  // namespace deployd::routing
