// The SQL of docs/postgresql.md and docs/data.md, run as it stands there.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/session/session.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;
namespace storage = deployd::storage;

namespace {

/// The SQL of a document in which `part` stands.
std::string documented(std::string const& document, std::string const& part) {
  std::ifstream file(DEPLOYD_SOURCE_DIR "/docs/" + document);
  std::string const text{std::istreambuf_iterator<char>(file), {}};
  for (auto begin = text.find("```sql\n"); begin != text.npos; begin = text.find("```sql\n", begin)) {
    begin += 7;
    auto const sql = text.substr(begin, text.find("```", begin) - begin);
    if (sql.find(part) != sql.npos) return sql;
  }
  throw std::runtime_error(document + " has no SQL with " + part);
}

std::string replaced(std::string text, std::string const& what, std::string const& with) {
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

std::string database_of(std::string const& url) {
  return url.substr(url.rfind('/') + 1);
}

std::unique_ptr<soci::session> session_of(std::string const& url) {
  return storage::open_session(*storage::parse_database_url(url), storage::Access::create);
}

/// Runs statements that hold no semicolon, one by one in one session.
void run_statements(std::string const& url, std::string const& sql) {
  auto const session = session_of(url);
  std::istringstream statements(sql);
  for (std::string statement; std::getline(statements, statement, ';');)
    if (statement.find_first_not_of(" \n") != statement.npos) *session << statement;
}

std::vector<std::string> texts(std::string const& url, std::string const& select) {
  auto const session = session_of(url);
  soci::rowset<std::string> const rows = (session->prepare << select);
  return {rows.begin(), rows.end()};
}

/// Columns, constraints, indexes, functions and triggers of the schema `deployd`.
std::vector<std::string> schema_of(std::string const& url) {
  return texts(url,
               "SELECT 'column ' || c.relname || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || "
               "attnotnull || ' ' || attidentity::text || ' ' || coalesce(pg_get_expr(adbin, adrelid), '') || ' ' || "
               "attcollation::text "
               "FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = c.oid AND "
               "adnum = attnum WHERE relnamespace = 'deployd'::regnamespace AND attnum > 0 AND relkind = 'r' "
               "UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint "
               "WHERE connamespace = 'deployd'::regnamespace "
               "UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid "
               "WHERE relnamespace = 'deployd'::regnamespace "
               "UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'deployd'::regnamespace "
               "UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = tgrelid "
               "WHERE relnamespace = 'deployd'::regnamespace AND NOT tgisinternal ORDER BY 1");
}

/// A role that may do nothing yet, in a database of its own.
struct NewRole {
  explicit NewRole(std::string const& database_url)
      : owner(database_url), name("role_of_" + database_of(owner)), url(replaced(owner, "postgres@", name + "@")) {
    postgresql().execute("CREATE ROLE " + name + " LOGIN");
  }

  void owner_runs(std::string const& sql) const { postgresql().execute(sql, database_of(owner)); }

  std::string owner;
  std::string name;
  std::string url;
};

/// Runs a command as the role, and each GRANT that it names as the owner, until it needs no more.
Outcome run_with_grants(NewRole const& role, std::vector<std::string> arguments, std::string const& input = {}) {
  arguments.insert(arguments.end(), {"--database", role.url});
  std::string granted;
  for (int round = 0; round < 4; ++round) {
    auto outcome = run_deployd(arguments, {{"DEPLOYD_JWT_SECRET", jwt_secret}}, input);
    if (outcome.status == 0) {
      // The first one named something, or the test would prove nothing.
      CHECK_FALSE(granted.empty());
      return outcome;
    }
    CAPTURE(arguments.front(), outcome.err);
    CHECK(outcome.status == 69);
    auto const grant = outcome.err.find(": GRANT ");
    REQUIRE(grant != std::string::npos);
    auto const statements = outcome.err.substr(grant + 2);
    CHECK(statements != granted);
    granted = statements;
    role.owner_runs(statements);
  }
  FAIL("no end of GRANTs");
  return {};
}

}  // namespace

TEST_CASE("the documented tables of PostgreSQL are those that migrate makes", "[documented_sql]") {
  FilledStore const made(StoreKind::postgresql);
  auto const url = postgresql().create_database();
  postgresql().execute(documented("postgresql.md", "CREATE TABLE deployd.patterns"), database_of(url));
  CHECK(schema_of(url) == schema_of(made.url()));
}

TEST_CASE("the documented tables of SQLite are those that migrate makes", "[documented_sql]") {
  FilledStore const made(StoreKind::sqlite);
  TemporaryDirectory const directory;
  auto const url = "sqlite:" + (directory.path() / "documented.db").string();
  run_statements(url, documented("data.md", "CREATE TABLE patterns"));
  auto const schema = [](std::string const& of) {
    auto entries = texts(of, "SELECT name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY name");
    for (auto& entry : entries) {
      entry = std::regex_replace(entry, std::regex("\\s+"), " ");
      entry = replaced(replaced(entry, "( ", "("), " )", ")");
    }
    auto const numbers =
        texts(of, "SELECT application_id || ' ' || user_version FROM pragma_application_id, pragma_user_version");
    entries.insert(entries.end(), numbers.begin(), numbers.end());
    return entries;
  };
  CHECK(schema(url) == schema(made.url()));
}

TEST_CASE("a role with the documented grants serves, and cannot write", "[documented_sql]") {
  FilledStore const store(StoreKind::postgresql);
  NewRole const role(store.url());
  role.owner_runs(replaced(documented("postgresql.md", "GRANT SELECT ON ALL TABLES"), "reader", role.name));
  RunningDeployd const server(role.url);
  CHECK(server.ask(request("GET", "/api/v1/deployments", bearer(store.create_token()))).status == 200);
  auto const run = [&](std::vector<std::string> arguments, std::string const& input = {}) {
    arguments.insert(arguments.end(), {"--database", role.url});
    return run_deployd(arguments, {}, input);
  };
  for (auto const* const command : {"check", "export", "migrate"}) CHECK(run({command}).status == 0);
  CHECK(run({"token", "list"}).status == 0);
  CHECK(run({"import", "-"}, R"({"pattern":{"id":9,"name":"new"}})").status == 69);
  CHECK(run({"token", "create", "--name", "x"}).status == 69);
  CHECK(run({"token", "revoke", "1"}).status == 69);
  // As it is noted that a token was used.
  *session_of(role.url)
      << "UPDATE deployd.api_tokens SET last_used = 1 WHERE id = 1 AND (last_used IS NULL OR last_used < 1)";
}

TEST_CASE("a privilege that is missing is named by its GRANT, which mends it", "[documented_sql]") {
  FilledStore const store(StoreKind::postgresql);
  store.create_token();
  auto const arguments =
      GENERATE(std::vector<std::string>{"check"}, std::vector<std::string>{"export"},
               std::vector<std::string>{"import", "-"}, std::vector<std::string>{"token", "create", "--name", "x"},
               std::vector<std::string>{"token", "list"}, std::vector<std::string>{"token", "revoke", "1"});
  run_with_grants(NewRole(store.url()), arguments, R"({"deployment":{"id":9,"pattern_id":1,"name":"new"}})");
}

TEST_CASE("a single table that may not be read is named, in serve, check and token list", "[documented_sql]") {
  FilledStore const store(StoreKind::postgresql);
  NewRole const role(store.url());
  role.owner_runs(replaced(documented("postgresql.md", "GRANT SELECT ON ALL TABLES"), "reader", role.name));
  role.owner_runs("REVOKE ALL ON deployd.api_tokens FROM " + role.name);
  auto const arguments = GENERATE(std::vector<std::string>{"serve", "--listen", "127.0.0.1:0"},
                                  std::vector<std::string>{"check"}, std::vector<std::string>{"token", "list"});
  auto all = arguments;
  all.insert(all.end(), {"--database", role.url});
  auto const outcome = run_deployd(all);
  CHECK(outcome.status == 69);
  CHECK(outcome.err.find("GRANT SELECT ON deployd.api_tokens TO " + role.name + "\n") != std::string::npos);
}

TEST_CASE("a role that may not create the schema is told the GRANT", "[documented_sql]") {
  NewRole const role(postgresql().create_database());
  run_with_grants(role, {"migrate"});
}

TEST_CASE("the documented grants of relations let a role read them, and are named where they are missing",
          "[documented_sql]") {
  NewRole const role(postgresql().create_database());
  role.owner_runs(
      "CREATE SCHEMA meta; CREATE TABLE meta.patterns (id int, name text); "
      "CREATE TABLE orders (number text, pattern_id int, name text); INSERT INTO meta.patterns VALUES (1, 'A'); "
      "INSERT INTO orders VALUES ('7', 1, 'seven'), ('abc', 1, 'none')");
  role.owner_runs(documented("postgresql.md", "CREATE VIEW meta.deployments"));
  std::vector<std::string> const options{"--patterns-relation", "meta.patterns", "--deployments-relation",
                                         "meta.deployments"};
  auto arguments = options;
  arguments.insert(arguments.begin(), "check");
  SECTION("named") {
    run_with_grants(role, arguments);
  }
  SECTION("documented") {
    role.owner_runs(replaced(documented("postgresql.md", "GRANT USAGE ON SCHEMA meta"), "reader", role.name));
    arguments.insert(arguments.end(), {"--database", role.url});
    arguments[0] = "export";
    CHECK(run_deployd(arguments).out ==
          R"({"patterns":[{"id":1,"name":"A"}],"deployments":[{"id":7,"pattern_id":1,"name":"seven"}]})"
          "\n");
  }
}

TEST_CASE("rows that are deleted with the documented SQL are gone from the answers", "[documented_sql]") {
  auto const kind = GENERATE(StoreKind::sqlite, StoreKind::postgresql);
  FilledStore const store(kind);
  RunningDeployd const server(store.url());
  auto const line = bearer(store.create_token());
  auto const get = [&](std::string const& target) { return server.ask(request("GET", target, line)); };
  REQUIRE(get("/api/v1/deployments?pattern_id=1").body != "[]");
  auto const others = get("/api/v1/deployments?pattern_id=2").body;
  if (kind == StoreKind::sqlite)
    run_statements(store.url(), documented("data.md", "DELETE FROM deployments"));
  else
    postgresql().execute(documented("postgresql.md", "DELETE FROM deployd.deployments"), database_of(store.url()));
  CHECK(eventually(kind == StoreKind::sqlite ? 0s : 1s,
                   [&] { return get("/api/v1/deployments?pattern_id=1").body == "[]"; }));
  CHECK(get("/api/v1/deployments/1").status == 404);
  CHECK(get("/api/v1/deployments?pattern_id=2").body == others);
}
