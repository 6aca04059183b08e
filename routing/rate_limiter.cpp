#include "routing/rate_limiter.hpp"

#include <algorithm>
#include <cmath>

namespace deployd::routing {

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

}  // namespace deployd::routing
