// Reading from a standby, which may be behind.
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>

#include "storage/database_url.hpp"
#include "storage/session/session.hpp"
#include "tests/failover/checked_readers.hpp"
#include "tests/failover/replicated_postgresql.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;
namespace storage = deployd::storage;

namespace {

/// How many sessions of a server have deployd's look-ups.
int reading_sessions(PostgresqlServer const& server) {
  auto const session = storage::open_session(*storage::parse_database_url(server.url()), storage::Access::read);
  int count = 0;
  *session << "SELECT count(*)::int FROM pg_stat_activity WHERE query LIKE '%pattern_id::bigint%' AND pid <> "
              "pg_backend_pid()",
      soci::into(count);
  return count;
}

/// deployd that reads from a standby, under load, while there are changes.
struct StandbyRead {
  explicit StandbyRead(std::string const& attributes)
      : writer(database.url(), history),
        server(database.url(attributes), {"--store-timeout", "2s"}),
        readers(server.port(), database.token(), history) {}

  void expect_answers() {
    auto const now = CheckedReaders::Clock::now();
    CHECK(readers.wait_for_answer(now, now + 10s));
  }
  void expect_reading(PostgresqlServer const& from, PostgresqlServer const& not_from) {
    CHECK(eventually(20s, [&] { return reading_sessions(from) > 0 && reading_sessions(not_from) == 0; }));
  }
  void expect_no_fault() {
    auto const tally = readers.take();
    CAPTURE(tally.first_fault);
    CHECK(tally.answered > 0);
    CHECK(tally.flawless());
  }
  HttpAnswer ask() const { return server.ask(request("GET", "/api/v1/deployments/1", bearer(database.token()))); }

  ReplicatedPostgresql database;
  CounterHistory history;
  CounterWriter writer;
  RunningDeployd server;
  CheckedReaders readers;
};

}  // namespace

TEST_CASE("with prefer-standby a standby that is fresh is read from, and one that lags is not") {
  StandbyRead read("prefer-standby");
  read.expect_answers();
  read.expect_reading(read.database.standby(), read.database.primary());
  read.expect_no_fault();

  read.database.standby().execute("SELECT pg_wal_replay_pause()");
  read.expect_reading(read.database.primary(), read.database.standby());
  read.expect_answers();
  read.expect_no_fault();

  read.database.standby().execute("SELECT pg_wal_replay_resume()");
  read.expect_reading(read.database.standby(), read.database.primary());
  read.expect_answers();
  read.expect_no_fault();
}

TEST_CASE("with prefer-standby the primary is read from while there is no standby") {
  StandbyRead read("prefer-standby");
  read.expect_answers();
  read.database.primary().execute("ALTER SYSTEM RESET synchronous_standby_names");
  read.database.primary().execute("SELECT pg_reload_conf()");
  read.database.standby().crash();
  read.expect_answers();
  CHECK(eventually(5s, [&] { return reading_sessions(read.database.primary()) > 0; }));
  read.database.standby().start();
  read.expect_reading(read.database.standby(), read.database.primary());
  read.expect_no_fault();
}

TEST_CASE("with standby nothing is answered while the standby lags") {
  StandbyRead read("standby");
  read.expect_answers();
  read.database.standby().execute("SELECT pg_wal_replay_pause()");
  CHECK(eventually(5s, [&] { return read.ask().status == 503; }));
  CHECK(eventually(5s, [&] { return read.server.ask(request("GET", "/readyz")).status == 503; }));
  CHECK(eventually(5s, [&] { return reading_sessions(read.database.primary()) == 0; }));
  read.database.standby().execute("SELECT pg_wal_replay_resume()");
  read.expect_answers();
  read.expect_no_fault();
}

TEST_CASE("without target_session_attrs nothing is read from a standby, whichever host is named first") {
  StandbyRead read("");
  read.expect_answers();
  read.expect_reading(read.database.primary(), read.database.standby());
  read.database.primary().crash();
  CHECK(eventually(5s, [&] { return read.ask().status == 503; }));
  CHECK(read.server.ask(request("GET", "/readyz")).status == 503);
  // The search for the primary looks at it for a moment now and then.
  CHECK(eventually(5s, [&] { return reading_sessions(read.database.standby()) == 0; }));
  read.database.primary().start();
  read.expect_answers();
  read.expect_no_fault();
}
