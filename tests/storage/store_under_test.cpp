#include "tests/storage/store_under_test.hpp"

#include <spdlog/spdlog.h>

#include <ostream>
#include <thread>

#include "storage/database.hpp"
#include "storage/schema/schema.hpp"
#include "storage/session/session.hpp"
#include "tests/postgresql_server.hpp"

namespace deployd::storage {
namespace {

// Made before there are threads, as by the program: ThreadSanitizer does not see into the library how it is made once.
[[maybe_unused]] auto const* const log = spdlog::default_logger_raw();

}  // namespace

std::ostream& operator<<(std::ostream& out, Kind kind) {
  return out << (kind == Kind::sqlite ? "SQLite" : "PostgreSQL");
}

tests::PostgresqlServer& postgresql_server() {
  static tests::PostgresqlServer server;
  return server;
}

StoreUnderTest::StoreUnderTest(Kind kind) {
  options.url = kind == Kind::sqlite ? DatabaseUrl(SqliteUrl{directory_.file("deployd.db")})
                                     : *parse_database_url(postgresql_server().create_database() + "?prepare=on");
  options.sessions = 2;
  migrate(options.url, {});
}

StoreUnderTest::~StoreUnderTest() {
  close();
}

void StoreUnderTest::close() {
  store_.reset();
  database_.reset();
}

Database& StoreUnderTest::database() {
  if (!database_) database_ = open_database(options);
  return *database_;
}

Store& StoreUnderTest::store() {
  if (!store_) store_ = database().store_for(loop.get_executor());
  return *store_;
}

void StoreUnderTest::write(std::string const& sql) {
  auto const session = open_session(options.url, Access::write);
  if (std::holds_alternative<PostgresqlUrl>(options.url)) *session << "SET search_path = deployd";
  *session << sql;
}

void StoreUnderTest::fill(int count) {
  write("INSERT INTO patterns (id, name) VALUES (1, 'ALPHA'), (2, 'BETA'), (3, 'EMPTY')");
  if (count == 0) return;
  write(
      "INSERT INTO deployments (id, pattern_id, name) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < " +
      std::to_string(count) + ") SELECT 10 * i, 2 - i % 2, 'd' || (i % 3) FROM n");
}

bool StoreUnderTest::wait_for_new_version(std::optional<std::uint64_t> old, std::chrono::milliseconds deadline) {
  auto const end = std::chrono::steady_clock::now() + deadline;
  while (true) {
    auto const version = store().data_version();
    if (version && version != old) return true;
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace deployd::storage
