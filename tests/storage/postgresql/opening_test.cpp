// What is prepared in a session of PostgreSQL when it is opened.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "storage/postgresql/opening.hpp"
#include "storage/schema/schema.hpp"
#include "storage/session/session.hpp"
#include "tests/postgresql_server.hpp"
#include "tests/storage/store_under_test.hpp"

namespace deployd::storage {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

/// A database with deployd's tables and those of another program.
struct Prepared {
  explicit Prepared(Relations const& relations = {}, bool own_tables = true)
      : url(std::get<PostgresqlUrl>(*parse_database_url(postgresql_server().create_database()))),
        queries(relation_names(relations), own_tables) {
    migrate(url, {});
    auto const session = open_session(url, Access::write);
    *session << R"(CREATE TABLE "their: patterns" (id bigint, name text))";
    *session << "CREATE TABLE their_deployments (id bigint, pattern_id bigint, name text)";
  }

  OpenedPostgresql open(SessionUse use, bool prepare = true) const {
    return open_postgresql({PostgresqlHosts(url), prepare, 1s, primary, queries}, use);
  }

  PostgresqlUrl url;
  PostgresqlQueries queries;
  PrimaryWatch primary;
};

Texts declared(PostgresqlQueries const& queries) {
  Texts texts;
  for (auto const& statement : queries.prepared()) texts.push_back(statement.sql);
  return texts;
}

/// What the server has under the names of the session, in their order.
Texts prepared(OpenedPostgresql& opened) {
  Texts texts;
  for (auto const& name : opened.prepared) {
    std::string text;
    *opened.session << "SELECT statement FROM pg_prepared_statements WHERE NOT from_sql AND name = :name",
        soci::use(name), soci::into(text);
    texts.push_back(text);
  }
  return texts;
}

int count_prepared(soci::session& session) {
  int count = 0;
  session << "SELECT count(*) FROM pg_prepared_statements", soci::into(count);
  return count;
}

}  // namespace

TEST_CASE("SOCI prepares every statement that serves requests when a session is opened, as it is declared") {
  Prepared const store;
  auto opened = store.open(SessionUse::queries);
  CHECK(prepared(opened) == declared(store.queries));
  CHECK(opened.prepared.size() == 24);
  CHECK(count_prepared(*opened.session) == 24);
}

TEST_CASE("with relations of another program lists of sound rows are prepared too, and tokens only if there are any") {
  bool const own_tables = GENERATE(false, true);
  Prepared const store({.patterns = R"("their: patterns")", .deployments = "their_deployments"}, own_tables);
  auto opened = store.open(SessionUse::queries);
  CHECK(prepared(opened) == declared(store.queries));
  CHECK(opened.prepared.size() == (own_tables ? 44 : 43));
  CHECK(opened.replace_at == OpenedPostgresql::Clock::time_point::max());
}

TEST_CASE("nothing is prepared for a cursor or behind a pooler") {
  Prepared const store;
  CHECK(count_prepared(*store.open(SessionUse::cursor).session) == 0);
  CHECK(count_prepared(*store.open(SessionUse::queries, false).session) == 0);
}

TEST_CASE("a session is opened while a table is locked, without what cannot be prepared and not for long") {
  Prepared const store;
  auto const other = open_session(store.url, Access::write);
  soci::transaction const transaction(*other);
  *other << "LOCK TABLE deployd.patterns IN ACCESS EXCLUSIVE MODE";
  auto const opened = store.open(SessionUse::queries);
  CHECK(opened.prepared.size() == 2);
  CHECK(opened.replace_at < OpenedPostgresql::Clock::now() + 10s);
}

}  // namespace deployd::storage
