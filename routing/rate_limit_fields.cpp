#include "routing/rate_limit_fields.hpp"

#include <algorithm>
#include <charconv>

namespace deployd::routing {
namespace {

std::int64_t whole_seconds(std::chrono::nanoseconds time) noexcept {
  return std::chrono::ceil<std::chrono::seconds>(time).count();
}

}  // namespace

RateLimitFields::RateLimitFields(RateLimiter const& limiter, RateLimiter::Allowance const& allowance) noexcept {
  append("RateLimit-Policy: \"default\";q=");
  append(limiter.burst());
  append(";w=");
  append(whole_seconds(limiter.window()));
  append("\r\nRateLimit: \"default\";r=");
  append(allowance.remaining);
  append(";t=");
  append(whole_seconds(allowance.wait.value_or(allowance.full_in)));
  append("\r\n");
}

void RateLimitFields::append(std::string_view text) noexcept {
  std::ranges::copy(text, text_.data() + size_);
  size_ += text.size();
}

void RateLimitFields::append(std::int64_t number) noexcept {
  auto const end = std::to_chars(text_.data() + size_, text_.data() + text_.size(), number).ptr;
  size_ = static_cast<std::size_t>(end - text_.data());
}

}  // namespace deployd::routing
