// Checks the availability of the store, with one query for all callers.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <memory>
#include <optional>

#include "storage/store.hpp"

namespace deployd::routing {

/// Pings a store at most once at a time, and not again while the last result is fresh: `/readyz` needs no token, so
/// what it costs the store must not depend on how often it is asked. For the worker's thread.
class StoreProbe {
 public:
  /// For so long a result is given to others.
  static constexpr std::chrono::milliseconds fresh_for{100};

  /// `store` must outlive every awaited call.
  explicit StoreProbe(storage::Store& store) noexcept : store_(store) {}

  /// The result of `Store::ping` that is under way, else of the last one if it is fresh, else of a new one. Throws what
  /// the ping throws to the one who began it; the others get `errc::unavailable` then.
  storage::Answer<bool> ask();

 private:
  using Clock = std::chrono::steady_clock;
  struct Ping;

  storage::Answer<bool> wait_for(std::shared_ptr<Ping> ping);

  storage::Store& store_;
  std::weak_ptr<Ping> under_way_;  // owned by the coroutine that began it, whose end is its end
  std::optional<boost::system::result<bool>> last_;
  Clock::time_point fresh_until_;
};

}  // namespace deployd::routing
