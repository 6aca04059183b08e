// CONTRACT: the commands beside `serve`: migrate, import, export and token.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/session.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
namespace storage = deployd::storage;

namespace {

std::string new_database(StoreKind kind, TemporaryDirectory const& directory) {
  if (kind == StoreKind::postgresql) return postgresql().create_database();
  return "sqlite:" + (directory.path() / "new.db").string();
}

/// Calls `check` with the URL of a store of each kind that has no schema.
template <typename Check>
void with_each_new_database(Check check) {
  for (auto const kind : {StoreKind::sqlite, StoreKind::postgresql}) {
    TemporaryDirectory const directory;
    CAPTURE(kind);
    check(new_database(kind, directory));
  }
}

Outcome run_with(std::string const& database, std::vector<std::string> arguments, std::string const& input = {}) {
  arguments.insert(arguments.end(), {"--database", database});
  return run_deployd(std::move(arguments), {}, input);
}

void expect_refusal(Outcome const& outcome, std::string const& why) {
  CAPTURE(outcome.err, why);
  CHECK(outcome.status == 69);
  CHECK(outcome.out.empty());
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK(outcome.err.find(why) != std::string::npos);
}

std::vector<std::vector<std::string>> const commands_that_need_a_schema{
    {"serve", "--listen", "127.0.0.1:0"}, {"check"}, {"export"}, {"token", "list"}, {"token", "revoke", "1"}};

}  // namespace

TEST_CASE("migrate, import and token create make the schema", "[commands]") {
  for (std::vector<std::string> const& command :
       {std::vector<std::string>{"migrate"}, {"import", "-"}, {"token", "create", "--name", "x"}}) {
    CAPTURE(command.front());
    with_each_new_database([&](std::string const& database) {
      CHECK(run_with(database, command, sample_data).status == 0);
      CHECK(run_with(database, {"check"}).status == 0);
      CHECK(run_with(database, {"migrate"}).status == 0);
    });
  }
}

TEST_CASE("the other commands never make a schema and say to run deployd migrate", "[commands]") {
  for (auto const& command : commands_that_need_a_schema) {
    CAPTURE(command.front());
    with_each_new_database([&](std::string const& database) {
      expect_refusal(run_with(database, command), "deployd migrate");
      expect_refusal(run_with(database, command), "deployd migrate");
    });
  }
}

TEST_CASE("a store with a newer schema is refused by every command, which says that deployd is too old", "[commands]") {
  for (auto const kind : {StoreKind::sqlite, StoreKind::postgresql}) {
    FilledStore const store(kind);
    {
      auto const session = storage::open_session(*storage::parse_database_url(store.url()), storage::Access::write);
      *session << (kind == StoreKind::sqlite ? "PRAGMA user_version = 999"
                                             : "INSERT INTO deployd.schema_version (version) VALUES (999)");
    }
    auto commands = commands_that_need_a_schema;
    commands.insert(commands.end(), {{"migrate"}, {"import", "-"}, {"token", "create", "--name", "x"}});
    for (auto const& command : commands) {
      CAPTURE(kind, command.front());
      expect_refusal(run_with(store.url(), command, sample_data), "too old");
    }
  }
}

TEST_CASE("what export writes is what import takes, in both formats and from store to store", "[commands]") {
  FilledStore const store(StoreKind::sqlite);
  for (std::string const format : {"json", "ndjson"}) {
    auto const exported = run_with(store.url(), {"export", "--format", format}).out;
    CAPTURE(format, exported);
    CHECK(exported.find(R"({"id":9223372036854775807,"pattern_id":1,"name":"last"})") != std::string::npos);
    with_each_new_database([&](std::string const& database) {
      CHECK(run_with(database, {"import", "-"}, exported).status == 0);
      CHECK(run_with(database, {"export", "--format", format}).out == exported);
    });
  }
}

TEST_CASE("several files and standard input are one import, in any order, all or nothing", "[commands]") {
  TemporaryDirectory const files;
  auto const pattern = files.write("pattern.ndjson", R"({"pattern":{"id":5,"name":"P"}})");
  auto const bad = files.write("bad.ndjson", "\n{\"pattern\":{\"id\":6,\"name\":\"P\"}}\n");
  std::string const deployment = R"({"deployments":[{"id":7,"pattern_id":5,"name":"d"}],"patterns":[]})";
  with_each_new_database([&](std::string const& database) {
    auto const refused = run_with(database, {"import", pattern, "-", bad}, deployment);
    CHECK(refused.status == 65);
    CHECK(refused.err.find(bad + ":2: ") != std::string::npos);
    CHECK(run_with(database, {"export"}).out == "{\"patterns\":[],\"deployments\":[]}\n");
    CHECK(run_with(database, {"import", "-", pattern}, deployment).status == 0);
    CHECK(run_with(database, {"export"}).out ==
          R"({"patterns":[{"id":5,"name":"P"}],"deployments":[{"id":7,"pattern_id":5,"name":"d"}]})"
          "\n");
  });
}

TEST_CASE("behind -- a file may be called like an option", "[commands]") {
  TemporaryDirectory const directory;
  directory.write("--format", sample_data);
  Command command;
  command.arguments = {deployd_program(), "import", "--", "--format"};
  command.directory = directory.path();
  auto const outcome = run(command);
  CAPTURE(outcome.err);
  CHECK(outcome.status == 0);
}

TEST_CASE("token create prints the token alone, and token list its id first and never the token", "[commands]") {
  with_each_new_database([](std::string const& database) {
    auto const created = run_with(database, {"token", "create", "--name", "ci", "--expires", "30d"});
    CHECK(std::regex_match(created.out, std::regex("dpd_[A-Za-z0-9_-]{43}\n")));
    CHECK(created.err.empty());
    auto const text = run_with(database, {"token", "list"}).out;
    CHECK(std::regex_match(text, std::regex("ID .*\n1 .* ci\n")));
    auto const json = run_with(database, {"token", "list", "--format", "json"}).out;
    CHECK(std::regex_match(json, std::regex(R"(\[\{"id":1,"name":"ci",.*"revoked":null\}\]\n)")));
    for (auto const& listed : {text, json}) CHECK(listed.find(created.out.substr(4, 43)) == std::string::npos);
    CHECK(run_with(database, {"token", "revoke", "1"}).status == 0);
    CHECK(run_with(database, {"token", "list", "--format", "json"}).out.find("\"revoked\":\"") != std::string::npos);
    CHECK(run_with(database, {"token", "revoke", "2"}).status == 65);
  });
}

TEST_CASE("token sign prints a JWT alone and needs the secret and a subject", "[commands]") {
  std::map<std::string, std::string> const secret{{"DEPLOYD_JWT_SECRET", jwt_secret}};
  auto const printed = run_deployd({"token", "sign", "--subject", "jane", "--ttl", "5m"}, secret);
  CHECK(printed.status == 0);
  CHECK(std::regex_match(printed.out, std::regex("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]{43}\n")));
  CHECK(printed.err.empty());
  auto const without_secret = run_deployd({"token", "sign", "--subject", "jane"});
  CHECK(without_secret.status == 78);
  CHECK(without_secret.err.find("--jwt-secret-file") != std::string::npos);
  CHECK(run_deployd({"token", "sign"}, secret).status == 64);
  // Common to all commands, though this one needs no store.
  CHECK(run_deployd({"token", "sign", "--subject", "jane", "--database", "sqlite:none.db"}, secret).status == 0);
}
