// Opens a session to the host that reads must use.
#pragma once

#include <soci/soci.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/postgresql/primary_watch.hpp"
#include "storage/postgresql/queries.hpp"
#include "storage/session/postgresql_hosts.hpp"

namespace deployd::storage {

/// The settings with which sessions are opened and used.
struct PostgresqlSource {
  PostgresqlHosts hosts;
  bool prepare = true;                // each session has a server session of its own
  std::chrono::milliseconds timeout;  // for statements; in whole seconds for connecting
  PrimaryWatch const& primary;        // not written to if there is one host
  PostgresqlQueries const& queries;   // the statements to prepare
};

/// The purpose of a session.
enum class SessionUse {
  queries,  // those of `PostgresqlQueries::prepared`
  cursor,   // a long list, whose statements are executed once and are not prepared
};

struct OpenedPostgresql {
  using Clock = std::chrono::steady_clock;

  std::unique_ptr<soci::session> session;
  /// The names under which SOCI prepared the statements, by their numbers. Missing ones are not prepared.
  std::vector<std::string> prepared;
  /// When to look for a better host, because this one is not the intended one.
  Clock::time_point replace_at = Clock::time_point::max();
  /// `PrimaryWatch::moves` from before it was opened; for a standby that replaces the primary, `arrivals`.
  std::uint64_t moves = 0;
  std::optional<std::uint64_t> arrivals;
  /// For a standby that must be fresh: every commit before this time is present.
  std::optional<Clock::time_point> complete_until;
};

/// How far a standby may lag behind the primary. Together with the half second for which tokens are remembered, or the
/// quarter second for which responses are cached, this is less than the second within which a change must be seen.
inline constexpr std::chrono::milliseconds standby_may_lag{400};

/// The query for the log position up to which a standby has replayed.
inline constexpr char const* replayed_position = "SELECT coalesce(pg_last_wal_replay_lsn()::text, '')";

/// Opens a session to a host as `PostgresqlHosts::read_from` requires, and prepares the statements that it needs.
/// Blocks. Throws `Error`.
OpenedPostgresql open_postgresql(PostgresqlSource const& source, SessionUse use);

}  // namespace deployd::storage
