#include "routing/rate_limiter.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace deployd::routing {
namespace {

std::int64_t whole_seconds(std::chrono::nanoseconds time) noexcept {
  return std::chrono::ceil<std::chrono::seconds>(time).count();
}

}  // namespace

RateLimiter::RateLimiter(double rate)
    : interval_(std::max<std::int64_t>(1, std::llround(1e9 / rate))),
      burst_(interval_ * std::max<std::int64_t>(1, std::llround(std::floor(rate)))) {}

RateLimiter::Allowance RateLimiter::admit(std::uint64_t key, std::chrono::steady_clock::time_point now) {
  auto& shard = shards_[key % shards_.size()];
  std::lock_guard const lock(shard.mutex);
  if (shard.full_again.size() >= shard.sweep_at) {
    std::erase_if(shard.full_again, [&](auto const& entry) { return entry.second <= now; });
    shard.sweep_at = std::max<std::size_t>(1024, 2 * shard.full_again.size());
  }
  auto& full_again = shard.full_again[key];
  auto const next = std::max(full_again, now) + interval_;
  if (next - now > burst_) return {next - now - burst_, 0, full_again - now};
  full_again = next;
  return {std::nullopt, (burst_ - (next - now)) / interval_, next - now};
}

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
