// A store of every schema that was released, upgraded and served.
#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <fstream>
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

void feed(std::vector<std::string> arguments, std::string const& sql) {
  Command command;
  command.arguments = std::move(arguments);
  command.input = sql;
  auto const outcome = run(command);
  if (outcome.status != 0) throw std::runtime_error(command.arguments.front() + ": " + outcome.err);
}

/// Upgrades the store and looks whether all that was in it is served.
void check_upgrade(std::string const& url) {
  CHECK(run_deployd({"migrate", "--database", url}).status == 0);
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
  for (int version = 1; version <= deployd::storage::current_schema_version(); ++version) {
    CAPTURE(version);
    TemporaryDirectory const directory;
    auto const path = (directory.path() / "old.db").string();
    feed({"/usr/bin/sqlite3", path}, fixture(version, "sqlite"));
    check_upgrade("sqlite:" + path);
  }
}

TEST_CASE("a PostgreSQL store of every released schema is upgraded with all that is in it", "[upgrade]") {
  for (int version = 1; version <= deployd::storage::current_schema_version(); ++version) {
    CAPTURE(version);
    auto const url = postgresql().create_database();
    feed({"/usr/bin/psql", "-q", "-v", "ON_ERROR_STOP=1", url}, fixture(version, "postgresql"));
    check_upgrade(url);
  }
}
