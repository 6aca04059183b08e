// CONTRACT: the commands beside `serve`: migrate, import, export and token.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/session/session.hpp"
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

TEST_CASE("an export as CSV is imported as the same rows", "[commands]") {
  FilledStore const store(StoreKind::sqlite);
  auto const as_json = run_with(store.url(), {"export"}).out;
  auto const as_csv = run_with(store.url(), {"export", "--format", "csv"}).out;
  CHECK(as_csv.find("\n9223372036854775807,1,last\n") != std::string::npos);
  with_each_new_database([&](std::string const& database) {
    CHECK(run_with(database, {"import", "-"}, as_csv).status == 0);
    CHECK(run_with(database, {"export"}).out == as_json);
  });
  CHECK(run_with(store.url(), {"export", "--format", "xml"}).status == 64);
  CHECK(run_with(store.url(), {"export", "--format", "csv", "--table", "patterns"}).out ==
        as_csv.substr(0, as_csv.find("\n\n") + 1));
}

TEST_CASE("import --replace deletes what the files do not have, and --dry-run says so before", "[commands]") {
  TemporaryDirectory const files;
  auto const patterns = files.write("patterns.csv", "id;name\r\n1;ONE\r\n");
  auto const deployments = files.write("deployments.csv", "id,pattern,name\n1,ONE,first\n");
  for (auto const kind : {StoreKind::sqlite, StoreKind::postgresql}) {
    FilledStore const store(kind);
    auto const before = run_with(store.url(), {"export"}).out;
    auto const rehearsed = run_with(store.url(), {"import", "--replace", "--dry-run", deployments, patterns});
    CAPTURE(kind, rehearsed.err);
    CHECK(rehearsed.status == 0);
    CHECK(rehearsed.out.find("patterns: 0 added, 1 updated, 0 unchanged, ") != std::string::npos);
    auto const refused = run_with(store.url(), {"import", "--replace", patterns});
    CHECK(refused.status == 65);
    CHECK(refused.err.find("--replace: there are no deployments in the input") != std::string::npos);
    CHECK(run_with(store.url(), {"export"}).out == before);
    CHECK(run_with(store.url(), {"import", "--replace", deployments, patterns}).status == 0);
    CHECK(run_with(store.url(), {"export"}).out ==
          R"({"patterns":[{"id":1,"name":"ONE"}],"deployments":[{"id":1,"pattern_id":1,"name":"first"}]})"
          "\n");
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

TEST_CASE("a failure is one line, whatever the value that it names contains", "[commands]") {
  TemporaryDirectory const directory;
  auto const database = new_database(StoreKind::sqlite, directory);
  std::vector<std::vector<std::string>> const commands{{"import", "a\nb"},
                                                       {"serve", "--listen", "a\nb"},
                                                       {"export", "--config", "a\nb"},
                                                       {"serve", "--workers", "a\nb"},
                                                       {"export", "--format", "a\nb"},
                                                       {"export", "--a\nb"},
                                                       {"export", "a\nb"}};
  for (auto const& command : commands) {
    auto const outcome = run_with(database, command);
    CAPTURE(command.front(), command.back(), outcome.err);
    CHECK(outcome.status != 0);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(outcome.err.find("a\\nb") != std::string::npos);
  }
  auto const colored = run_with(database, {"import", "\x1b[31mred"});
  CHECK(colored.err == "deployd: \\x1b[31mred: there is no such file\n");
}

TEST_CASE("an option in front of the command is refused by name, with the place where it belongs", "[commands]") {
  auto const database = std::string("postgresql://u:hidden@h/x");
  CHECK(run_deployd({"--database", database, "export"}).err ==
        "deployd: --database: options follow the command: `deployd COMMAND --database URL`\n");
  CHECK(run_deployd({"token", "--database=" + database, "list"}).err ==
        "deployd: --database: options follow the command: `deployd token COMMAND --database URL`\n");
  CHECK(run_deployd({"--databse", "x", "export"}).err ==
        "deployd: there is no option '--databse' in front of a command; see `deployd --help`\n");
  CHECK(run_deployd({"--no-page", "serve"}).status == 64);
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

TEST_CASE("token revoke takes the name of exactly one token that is not revoked, and an id first", "[commands]") {
  with_each_new_database([](std::string const& database) {
    for (std::string const name : {"ci", "ci", "once", "1"})
      CHECK(run_with(database, {"token", "create", "--name", name}).status == 0);
    auto const revoke = [&](std::string const& token) { return run_with(database, {"token", "revoke", token}); };
    CHECK(revoke("once").out == "Revoked token 3.\n");
    auto const gone = revoke("once");
    CHECK(gone.status == 65);
    CHECK(gone.err.find("there is no token with the name 'once'") != std::string::npos);
    auto const several = revoke("ci");
    CHECK(several.status == 65);
    CHECK(several.err.find("2 tokens have the name 'ci'; revoke them by id: 1, 2") != std::string::npos);
    CHECK(revoke("1").out == "Revoked token 1.\n");
    CHECK(revoke("ci").out == "Revoked token 2.\n");
    CHECK(revoke("9").err.find("there is no token with the id or name '9'") != std::string::npos);
    CHECK(run_with(database, {"token", "create", "--name", "2026"}).status == 0);
    CHECK(revoke("2026").out == "Revoked token 5.\n");
  });
}

TEST_CASE("check prints a table of what it has found, with a remedy for what is not good", "[commands]") {
  TemporaryDirectory const directory;
  FilledStore const filled(StoreKind::sqlite);
  auto const secret = directory.write("secret", jwt_secret);
  std::filesystem::permissions(secret, std::filesystem::perms(0644));
  auto const good = run_with(filled.url(), {"check", "--listen", "127.0.0.1:0"});
  CAPTURE(good.out);
  CHECK(good.err.empty());
  CHECK(good.out.starts_with("ITEM          STATE FOUND\nstore         ok    " + filled.url() + " can be read\n"));
  for (std::string const line :
       {"schema        ok    version ", "rows          ok    3 patterns, ",
        "address       ok    --listen: 127.0.0.1:0 is free",
        "keys          look  no key for tokens is configured and the store has no API token",
        "remedy: run `deployd token create --name NAME`", "descriptors   ok    enough for --max-connections 10000"})
    CHECK(good.out.find(line) != std::string::npos);
  auto const exposed = run_with(
      filled.url(), {"check", "--listen", "127.0.0.1:0", "--jwt-secret-file", secret, "--max-connections", "9999999"});
  CAPTURE(exposed.out);
  CHECK(exposed.status == 0);
  for (auto const& line :
       {"keys          ok    " + secret + ": HMAC secret",
        "permissions   look  " + secret + ": every user of this machine can get at this secret (mode 0644)\n",
        std::string("remedy: chmod 640, or 600\n"), std::string("descriptors   look  only "),
        std::string("remedy: raise the hard limit to ")})
    CHECK(exposed.out.find(line) != std::string::npos);
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

namespace {

Outcome check_token(std::string const& input, std::vector<std::string> options = {},
                    std::map<std::string, std::string> const& environment = {{"DEPLOYD_JWT_SECRET", jwt_secret}}) {
  options.insert(options.begin(), {"token", "check"});
  return run_deployd(std::move(options), environment, input);
}

void expect_refused(Outcome const& outcome, std::string const& why) {
  CAPTURE(outcome.out, outcome.err, why);
  CHECK(outcome.status == 65);
  CHECK(outcome.out.starts_with("refused: "));
  CHECK(outcome.out.find(why) != std::string::npos);
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 1);
  CHECK(outcome.err.empty());
}

}  // namespace

TEST_CASE("token check says whose a JWT is and until when, without a store", "[commands]") {
  std::vector<std::string> const no_store{"--database", "sqlite:/nonexistent/none.db"};
  auto const signed_with = [](std::vector<std::string> options) {
    options.insert(options.begin(), {"token", "sign", "--subject", "jane"});
    auto line = run_deployd(std::move(options), {{"DEPLOYD_JWT_SECRET", jwt_secret}}).out;
    return line.substr(0, line.find('\n'));
  };
  auto const token = signed_with({"--ttl", "1h"});
  for (auto const& input : {token, token + "\n", token + "\r\n", "Bearer " + token + "\n", "bearer  " + token,
                            "\xEF\xBB\xBF" + token + "\n",
                            "\xEF\xBB\xBF"
                            "Bearer " +
                                token}) {
    auto const outcome = check_token(input, no_store);
    CAPTURE(input, outcome.out, outcome.err);
    CHECK(outcome.status == 0);
    CHECK(std::regex_match(outcome.out,
                           std::regex("accepted: the token of 'jane', until "
                                      "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z \\(for (1 h|59 min)[^)]*\\)\n")));
    CHECK(outcome.err.empty());
  }
  expect_refused(check_token(token + "\n\n"), "line breaks");
  expect_refused(check_token(token + " " + token), "line breaks");
  expect_refused(check_token(""), "no token on standard input");
  expect_refused(check_token("\n"), "no token on standard input");
  expect_refused(check_token("\xEF\xBB\xBF"), "no token on standard input");
  expect_refused(check_token(token, {"--jwt-issuer", "https://id.example.com"}),
                 "is of another issuer (iss); it says alg 'HS256', kid none, iss none, aud none, expires in ");
  expect_refused(check_token(token, {"--jwt-issuer", "https://id.example.com"}),
                 "iss 'https://id.example.com', aud any");
  expect_refused(check_token(token, {"--jwt-audience", "deployd"}), "is for another audience (aud)");
  expect_refused(check_token(token, {}, {{"DEPLOYD_JWT_SECRET", std::string(32, 'x')}}), "none of the configured keys");
  expect_refused(check_token(token, {}, {}), "no key for JWTs is configured");
  expect_refused(check_token(token, {"--max-header-bytes", "100"}), "--max-header-bytes allows 100");
  expect_refused(check_token(std::string(20'000'000, 'A')), "--max-header-bytes allows 16384");
  expect_refused(check_token("dpd_short"), "dpd_ and 43 base64url characters");
  auto const outcome = check_token(token.substr(0, token.rfind('.') + 1) + std::string(43, 'A'));
  expect_refused(outcome, "none of the configured keys");
  CHECK(outcome.out.find(std::string(43, 'A')) == std::string::npos);
  CHECK(check_token(token, {"--jwks", "/nonexistent"}).status == 78);
  CHECK(check_token(token, {"--workers", "1"}).status == 64);
}

TEST_CASE("token check looks an API token up in the store", "[commands]") {
  for (auto const kind : {StoreKind::sqlite, StoreKind::postgresql}) {
    FilledStore const store(kind);
    CAPTURE(kind);
    auto const unlimited = store.create_token();
    auto const limited = store.create_token({"--expires", "1h"});
    auto const gone = store.create_token({"--expires", "1s"});
    std::vector<std::string> const database{"--database", store.url()};
    CHECK(check_token(unlimited + "\n", database).out.find("until it is revoked\n") != std::string::npos);
    CHECK(check_token(limited, database).out.find("Z (for ") != std::string::npos);
    expect_refused(check_token("dpd_" + std::string(43, 'A'), database), "an API token that the store does not have");
    CHECK(run_with(store.url(), {"token", "revoke", "1"}).status == 0);
    expect_refused(check_token(unlimited, database), "the API token 1 ");
    expect_refused(check_token(unlimited, database), "has been revoked");
    CHECK(eventually(std::chrono::seconds(10), [&] { return check_token(gone, database).status == 65; }));
    expect_refused(check_token(gone, database), " ago");
    CHECK(run_with(store.url(), {"export"}).status == 0);
  }
  auto const away = check_token("dpd_" + std::string(43, 'A'), {"--database", "sqlite:/nonexistent/none.db"});
  CHECK(away.status == 69);
  CHECK(away.err.find("/nonexistent/none.db") != std::string::npos);
}
