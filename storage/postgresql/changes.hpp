// Noticing that somebody changed a PostgreSQL store.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

#include "storage/database_state.hpp"
#include "storage/postgresql/primary_watch.hpp"
#include "storage/session/postgresql_command.hpp"
#include "storage/session/postgresql_hosts.hpp"

namespace deployd::storage {

/// Listens for what the triggers of deployd's tables tell, on a connection to the primary and a thread of its own, and
/// of several hosts says which is the primary.
///
/// The connection is asked for a sign of life several times a second: one that is cut off unnoticed would let answers
/// grow stale. While there is none, or on a standby, which cannot listen, there is no version and nothing is kept.
class PostgresqlChanges {
 public:
  /// Without `listening` it only watches the primary. `primary` must outlive this.
  PostgresqlChanges(PostgresqlHosts hosts, bool listening, PrimaryWatch& primary);
  ~PostgresqlChanges();

  bool listening() const noexcept { return listening_; }

  /// Any thread.
  std::optional<std::uint64_t> version() const noexcept;

  /// Any thread.
  ChangeFeed state() const noexcept;

 private:
  void run(std::stop_token const& stop);
  void listen(std::stop_token const& stop);
  std::unique_ptr<soci::session> open();
  /// False when the sign is none.
  bool take_sign(PGresult const& sign, std::chrono::steady_clock::time_point asked);

  PostgresqlHosts hosts_;
  bool listening_;
  PrimaryWatch& primary_;
  std::chrono::milliseconds between_signs_;
  char const* sign_of_life_;
  // Even while nothing can be noticed, odd while it can; changes with every change.
  std::atomic<std::uint64_t> version_{0};
  // Up to when nothing can have gone unnoticed: when the last sign of life that was answered was asked for.
  std::atomic<std::chrono::steady_clock::time_point> all_heard_until_{};
  int wake_;  // an eventfd that ends the waiting
  std::jthread thread_;
};

/// A version where nobody tells of changes: another one with every step of time.
std::uint64_t timed_version(std::chrono::milliseconds step) noexcept;

}  // namespace deployd::storage
