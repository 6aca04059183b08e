// The header fields with the client's rate limit.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "routing/rate_limiter.hpp"

namespace deployd::routing {

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
