// Checks the availability of the store, with one query for all callers.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <memory>
#include <optional>

#include "base/wait_for_outcome.hpp"
#include "storage/store.hpp"

namespace deployd::routing {

/// Sends at most one ping at a time to a store, and none while the last result is fresh: `/readyz` needs no token, so
/// its cost for the store must not depend on how often it is requested. Must be used on the worker's thread.
class StoreProbe {
 public:
  /// How long a result is reused.
  static constexpr std::chrono::milliseconds fresh_for{100};

  /// `store` must outlive every awaited call.
  explicit StoreProbe(storage::Store& store) noexcept : store_(store) {}

  /// Returns the result of the `Store::ping` in progress, otherwise the last result if it is fresh, otherwise that of a
  /// new ping. If the ping throws, the caller that started it gets the exception and the others get
  /// `errc::unavailable`.
  storage::Answer<bool> ask();

 private:
  using Clock = std::chrono::steady_clock;
  using Ping = base::Awaited<boost::system::result<bool>>;

  storage::Store& store_;
  std::weak_ptr<Ping> under_way_;  // owned by the coroutine that started it and destroyed with it
  std::optional<boost::system::result<bool>> last_;
  Clock::time_point fresh_until_;
};

}  // namespace deployd::routing
