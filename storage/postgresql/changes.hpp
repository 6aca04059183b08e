// Detects changes of a PostgreSQL store.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

#include "storage/database.hpp"
#include "storage/postgresql/primary_watch.hpp"
#include "storage/session/postgresql_command.hpp"
#include "storage/session/postgresql_hosts.hpp"

namespace deployd::storage {

/// Listens for the notifications of the triggers on deployd's tables, on a connection to the primary and a thread of
/// its own. With several hosts it also determines which is the primary.
///
/// A short query several times a second checks that the connection still works: otherwise responses would become stale
/// after an unnoticed disconnect. Without a connection, or on a standby, which cannot listen, there is no version and
/// nothing is cached.
class PostgresqlChanges {
 public:
  /// Without `listening` it only watches the primary. `primary` must outlive this object.
  PostgresqlChanges(PostgresqlHosts hosts, bool listening, PrimaryWatch& primary);
  ~PostgresqlChanges();

  bool listening() const noexcept { return listening_; }

  /// Safe to call from any thread.
  std::optional<std::uint64_t> version() const noexcept;

  /// Safe to call from any thread.
  ChangeFeed state() const noexcept;

 private:
  void run(std::stop_token const& stop);
  void listen(std::stop_token const& stop);
  std::unique_ptr<soci::session> open();
  /// Returns false if the result is not a valid response to the check.
  bool take_sign(PGresult const& sign, std::chrono::steady_clock::time_point asked);

  PostgresqlHosts hosts_;
  bool listening_;
  PrimaryWatch& primary_;
  std::chrono::milliseconds between_signs_;
  char const* sign_of_life_;
  // Even while changes cannot be detected, odd while they can. Different after every change.
  std::atomic<std::uint64_t> version_{0};
  // All changes committed before this time have been detected: the last check that was answered was sent then.
  std::atomic<std::chrono::steady_clock::time_point> all_heard_until_{};
  int wake_;  // an eventfd that ends the wait
  std::jthread thread_;
};

/// Returns a version for stores without notifications of changes: it changes with every step of time.
std::uint64_t timed_version(std::chrono::milliseconds step) noexcept;

}  // namespace deployd::storage
