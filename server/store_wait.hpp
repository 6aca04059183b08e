// Waiting for the store at the start: --wait-for-store.
#pragma once

#include <chrono>
#include <functional>

#include "storage/error.hpp"

namespace deployd::server {

/// For how long a command waits, and for what.
struct StoreWait {
  std::chrono::milliseconds limit{0};  // 0: not at all
  bool for_schema = false;             // also for a missing or older schema, which another process is to make
  int status_of_signal = 0;            // exit status of the process when SIGTERM or SIGINT ends the waiting
};

/// True for a failure that passes by itself: the store is away, or locked by another process.
bool is_temporary(storage::errc code) noexcept;

/// Calls `attempt` until it succeeds. Tries again after a storage::Error that is temporary, and with `for_schema` after
/// `missing` and `older_schema`, until `wait.limit` has passed; the last error is thrown then.
/// Other errors are thrown at once. The log says for what it waits. While it waits SIGTERM and SIGINT end the process.
void wait_for_store(StoreWait const& wait, std::function<void()> const& attempt);

}  // namespace deployd::server
