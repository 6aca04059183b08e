// Noticing that somebody changed a PostgreSQL store.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>

#include "storage/database_state.hpp"
#include "storage/database_url.hpp"

namespace deployd::storage {

/// Listens for what the triggers of deployd's tables tell, on a connection and a thread of its own.
///
/// The connection is asked for a sign of life several times a second: one that is cut off unnoticed would let answers
/// grow stale. While there is none, or on a standby, which cannot listen, there is no version and nothing is kept.
class PostgresqlChanges {
 public:
  explicit PostgresqlChanges(PostgresqlUrl url);
  ~PostgresqlChanges();

  /// Any thread.
  std::optional<std::uint64_t> version() const noexcept;

  /// Any thread.
  ChangeFeed state() const noexcept;

 private:
  void run(std::stop_token const& stop);
  void listen(std::stop_token const& stop);

  PostgresqlUrl url_;
  // Even while nothing can be noticed, odd while it can; changes with every change.
  std::atomic<std::uint64_t> version_{0};
  // Up to when nothing can have gone unnoticed: when the last sign of life that was answered was asked for.
  std::atomic<std::chrono::steady_clock::time_point> all_heard_until_{};
  int wake_;  // an eventfd that ends the waiting
  std::jthread thread_;
};

/// A version where nobody tells of changes: another one with every step of time.
inline constexpr std::chrono::milliseconds timed_version_step{500};
std::uint64_t timed_version() noexcept;

}  // namespace deployd::storage
