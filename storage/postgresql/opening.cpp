#include "storage/postgresql/opening.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/jitter.hpp"
#include "storage/session/postgresql_deadline.hpp"
#include "storage/session/postgresql_execution.hpp"
#include "storage/session/session.hpp"

namespace deployd::storage {
namespace {

using Clock = std::chrono::steady_clock;
using Role = PostgresqlHosts::Role;
using std::chrono::milliseconds;

// A session to another host than intended is closed after half of this time to all of it: the right host may be
// available again.
constexpr milliseconds patience{8000};

// The time within which a standby must answer if the primary may be used instead.
constexpr milliseconds longest_preference{250};

// One of several hosts may stop between being found and being connected to.
constexpr milliseconds longest_connecting{2000};

// The time for which a statement may wait for a locked table to be prepared.
constexpr milliseconds longest_lock{200};

// How long to wait until the position of the primary is known for the first time.
constexpr milliseconds longest_unknown{300};

milliseconds time_to_connect(PostgresqlSource const& source) {
  return source.hosts.several() ? std::min(source.timeout, longest_connecting) : source.timeout;
}

std::unique_ptr<soci::session> connect(PostgresqlSource const& source, PostgresqlUrl url) {
  url.parameters.try_emplace("tcp_user_timeout", std::to_string(2 * source.timeout.count()));
  return open_session(url, Access::read, time_to_connect(source));
}

/// Returns the time before which a standby has every commit, or nothing if it is too far behind.
std::optional<Clock::time_point> proven(soci::session& standby, PrimaryWatch const& primary) {
  primary.wait_until_told(longest_unknown);
  std::string position;
  standby << replayed_position, soci::into(position);
  auto const replayed = parse_log_position(position);
  auto const until = replayed ? primary.complete_until(*replayed) : std::nullopt;
  if (!until || Clock::now() - *until > standby_may_lag) return std::nullopt;
  return until;
}

/// Returns a session to the first standby that answers and is fresh.
std::optional<OpenedPostgresql> open_fresh_standby(PostgresqlSource const& source, milliseconds time) {
  std::vector<std::size_t> tried;
  while (auto const host = source.hosts.find(Role::standby, time, tried)) {
    try {
      OpenedPostgresql opened;
      opened.session = connect(source, source.hosts.url(*host, Role::standby));
      PostgresqlDeadline const deadline(postgresql_connection(*opened.session), time_to_connect(source));
      opened.complete_until = proven(*opened.session, source.primary);
      if (opened.complete_until) return opened;
    } catch (Error const&) {
      // The host stopped after it was found.
    } catch (soci::soci_error const&) {
      // The host stopped during the query.
    }
    tried.push_back(*host);
  }
  return std::nullopt;
}

/// Opens a session to a host with this role. A single host is the user's choice: it need not be a standby.
std::unique_ptr<soci::session> open(PostgresqlSource const& source, Role role) {
  auto const& hosts = source.hosts;
  if (!hosts.several()) return connect(source, role == Role::primary ? hosts.url(0, role) : hosts.url());
  if (auto const host = hosts.find(role)) return connect(source, hosts.url(*host, role));
  throw Error(errc::unavailable, describe(hosts.url()) + ": none of the hosts is available as " +
                                     (role == Role::primary ? "the primary" : "a standby"));
}

/// Opens a session to the host that is to be read from.
OpenedPostgresql open_chosen(PostgresqlSource const& source) {
  auto const moves = source.primary.moves();
  auto const arrivals = source.primary.arrivals();
  auto const from = source.hosts.read_from();
  OpenedPostgresql opened;
  if (from == ReadFrom::prefer_standby || from == ReadFrom::standby) {
    bool const or_primary = from == ReadFrom::prefer_standby;
    if (auto standby = open_fresh_standby(source, or_primary ? longest_preference : PostgresqlHosts::longest_search)) {
      standby->moves = moves;
      return std::move(*standby);
    }
    if (!or_primary)
      throw Error(errc::unavailable, describe(source.hosts.url()) + ": no standby is available and up to date");
    opened.replace_at = Clock::now() + base::jittered(patience);
  }
  opened.moves = moves;
  try {
    opened.session = open(source, Role::primary);
  } catch (Error const&) {
    if (from != ReadFrom::any) throw;
    opened.session = open(source, Role::standby);
    opened.replace_at = Clock::now() + base::jittered(patience);
    opened.arrivals = arrivals;
  }
  return opened;
}

/// Makes the server cancel statements after `time`, unless its operator has set a shorter timeout.
void set_statement_timeout(soci::session& session, milliseconds time) {
  auto const timeout = std::to_string(time.count()) + "ms";
  session << "SELECT set_config('statement_timeout', '" << timeout
          << "', false) WHERE current_setting('statement_timeout')::interval NOT BETWEEN '1us' AND '" << timeout << "'";
}

void prepare(OpenedPostgresql& opened, PostgresqlQueries const& queries) {
  auto& session = *opened.session;
  session << "SET lock_timeout = " << longest_lock.count();
  try {
    for (auto const& statement : queries.prepared())
      opened.prepared.push_back(PostgresqlExecution::prepare(session, statement.sql));
  } catch (soci::soci_error const&) {
    if (!session.is_connected()) throw;
    // A table is locked or missing. Queries that need it will fail with the reason; others need the session.
    opened.replace_at = std::min(opened.replace_at, Clock::now() + base::jittered(patience));
  }
  session << "RESET lock_timeout";
}

/// Sets a session up for `use`. Returns false if the server ended it meanwhile.
bool set_up(OpenedPostgresql& opened, PostgresqlSource const& source, SessionUse use) {
  PostgresqlDeadline const deadline(postgresql_connection(*opened.session), time_to_connect(source));
  try {
    set_statement_timeout(*opened.session, source.timeout);
    if (use == SessionUse::queries) prepare(opened, source.queries);
    return true;
  } catch (soci::soci_error const& failure) {
    if (deadline.passed()) throw Error(errc::timeout, describe(source.hosts.url()) + ": no answer in time");
    if (!opened.session->is_connected()) return false;
    throw translate(failure, source.hosts.url());
  }
}

}  // namespace

OpenedPostgresql open_postgresql(PostgresqlSource const& source, SessionUse use) {
  auto opened = open_chosen(source);
  // Behind a pooler the server session is shared with other clients.
  if (!source.prepare || set_up(opened, source, use)) return opened;
  // An operator may have ended all sessions at once. Queries wait for this one, so it is tried once more.
  opened = open_chosen(source);
  if (!set_up(opened, source, use))
    throw Error(errc::unavailable, describe(source.hosts.url()) + ": the connection was lost");
  return opened;
}

}  // namespace deployd::storage
