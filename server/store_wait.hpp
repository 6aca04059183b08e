// Waits for the store at the start: --wait-for-store.
#pragma once

#include <chrono>
#include <functional>

#include "storage/error.hpp"

namespace deployd::server {

/// How long a command waits, and for what.
struct StoreWait {
  std::chrono::milliseconds limit{0};  // 0: does not wait
  bool for_schema = false;             // also for a missing or older schema, which another process must create
  int status_of_signal = 0;            // exit status of the process if SIGTERM or SIGINT ends the wait
};

/// True for a temporary failure: the store is unreachable, or locked by another process.
bool is_temporary(storage::errc code) noexcept;

/// Calls `attempt` until it succeeds. Tries again after a storage::Error that is temporary, and with `for_schema` after
/// `missing` and `older_schema`, until `wait.limit` has passed; then the last error is thrown. Other errors are thrown
/// at once. Logs the reason for waiting. SIGTERM and SIGINT end the process during the wait.
void wait_for_store(StoreWait const& wait, std::function<void()> const& attempt);

}  // namespace deployd::server
