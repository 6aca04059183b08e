// Opening a session to the host that is to be read from.
#pragma once

#include <soci/soci.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "storage/postgresql/primary_watch.hpp"
#include "storage/session/postgresql_hosts.hpp"

namespace deployd::storage {

/// How sessions are opened and used.
struct PostgresqlSource {
  PostgresqlHosts hosts;
  bool prepare = true;                // a session has one of the server's to itself
  std::chrono::milliseconds timeout;  // of a statement; of connecting, in whole seconds
  PrimaryWatch const& primary;        // nobody writes it when there is one host
};

struct OpenedPostgresql {
  using Clock = std::chrono::steady_clock;

  std::unique_ptr<soci::session> session;
  /// When to look for a better one: this one is not where it should be.
  Clock::time_point replace_at = Clock::time_point::max();
  /// `PrimaryWatch::moves`, and for a standby that stands in for the primary `arrivals`, from before it was opened.
  std::uint64_t moves = 0;
  std::optional<std::uint64_t> arrivals;
  /// Of a standby that has to be fresh: every commit from before this moment is there.
  std::optional<Clock::time_point> complete_until;
};

/// A standby may lack what was committed in so much time. With the half second that tokens are remembered, or the
/// quarter that answers are kept, this stays below the second within which a change has to be seen.
inline constexpr std::chrono::milliseconds standby_may_lag{400};

/// What a standby is asked for how far it has come.
inline constexpr char const* replayed_position = "SELECT coalesce(pg_last_wal_replay_lsn()::text, '')";

/// Opens a session to a host as `PostgresqlHosts::read_from` says. Blocks. Throws `Error`.
OpenedPostgresql open_postgresql(PostgresqlSource const& source);

}  // namespace deployd::storage
