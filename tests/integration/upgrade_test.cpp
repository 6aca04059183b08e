// A store of every schema that was released, upgraded and served.
#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include "storage/schema/schema.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;

namespace {

// What stands in each of tests/storage/fixtures.
constexpr auto exported =
    R"({"patterns":[{"id":1,"name":"CORE_DV_HLS"},{"id":2,"name":"S & ü+'\"%"}],)"
    R"("deployments":[{"id":1,"pattern_id":1,"name":"API"},{"id":2,"pattern_id":2,"name":"q\"\\€"},)"
    R"({"id":9223372036854775807,"pattern_id":1,"name":"last"}]})";
constexpr auto token = "dpd_VgHxksGT3WUk62GdMcuha0dXJgBlvBtrt1dpvT74oGE";

std::string without_whitespace_at_ends_of_lines(std::string text) {
  std::erase(text, '\n');
  return text;
}

/// The SQL that makes a store of an earlier version.
std::string fixture(int version, std::string const& kind) {
  return read_file(std::filesystem::path(DEPLOYD_FIXTURES) /
                   ("schema-" + std::to_string(version) + "." + kind + ".sql"));
}

/// Returns the output of a client of the database.
std::string ask_client(std::vector<std::string> arguments, std::string const& sql = {}) {
  Command command;
  command.arguments = std::move(arguments);
  command.input = sql;
  auto const outcome = run(command);
  if (outcome.status != 0) throw std::runtime_error(command.arguments.front() + ": " + outcome.err);
  return outcome.out;
}

void migrate(std::string const& url) {
  REQUIRE(run_deployd({"migrate", "--database", url}).status == 0);
}

std::string sqlite_schema(std::string const& path) {
  return ask_client({"/usr/bin/sqlite3", path, "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"});
}

std::string postgresql_schema(std::string const& url) {
  auto const dump = ask_client({"/usr/bin/pg_dump", "--schema-only", "--no-owner", url});
  // Newer versions of pg_dump write two meta-commands with a random word.
  return std::regex_replace(dump, std::regex(R"(\\(un)?restrict \w+)"), "");
}

/// Checks that all that was in an upgraded store is served.
void check_upgrade(std::string const& url) {
  CHECK(run_deployd({"check", "--database", url}).status == 0);
  CHECK(without_whitespace_at_ends_of_lines(run_deployd({"export", "--database", url}).out) == exported);
  RunningDeployd const server(url);
  auto const answer = server.ask(request("GET", "/api/v1/deployments?pattern=CORE_DV_HLS", bearer(token)));
  CHECK(answer.status == 200);
  CHECK(answer.body ==
        R"([{"id":1,"pattern_id":1,"name":"API"},{"id":9223372036854775807,"pattern_id":1,"name":"last"}])");
}

}  // namespace

TEST_CASE("a SQLite store of every released schema is upgraded with all that is in it", "[upgrade]") {
  TemporaryDirectory const directory;
  auto const fresh = (directory.path() / "new.db").string();
  migrate("sqlite:" + fresh);
  for (int version = 1; version <= deployd::storage::current_schema_version(); ++version) {
    CAPTURE(version);
    auto const path = (directory.path() / ("schema-" + std::to_string(version) + ".db")).string();
    ask_client({"/usr/bin/sqlite3", path}, fixture(version, "sqlite"));
    migrate("sqlite:" + path);
    CHECK(sqlite_schema(path) == sqlite_schema(fresh));
    check_upgrade("sqlite:" + path);
  }
}

TEST_CASE("a PostgreSQL store of every released schema is upgraded with all that is in it", "[upgrade]") {
  auto const fresh = postgresql().create_database();
  migrate(fresh);
  for (int version = 1; version <= deployd::storage::current_schema_version(); ++version) {
    CAPTURE(version);
    auto const url = postgresql().create_database();
    ask_client({"/usr/bin/psql", "-q", "-v", "ON_ERROR_STOP=1", url}, fixture(version, "postgresql"));
    migrate(url);
    CHECK(postgresql_schema(url) == postgresql_schema(fresh));
    check_upgrade(url);
  }
}
