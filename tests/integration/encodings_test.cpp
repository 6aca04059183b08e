// CONTRACT: JSON is UTF-8, whatever bytes other programs have written as names.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <memory>
#include <string>

#include "storage/database_url.hpp"
#include "storage/session/session.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
namespace storage = deployd::storage;

namespace {

/// A store whose database checks no encoding: any SQLite file, or a PostgreSQL database of SQL_ASCII.
class UncheckedStore {
 public:
  explicit UncheckedStore(StoreKind kind) : kind_(kind) {
    if (kind == StoreKind::sqlite) {
      url_ = "sqlite:" + (directory_.path() / "deployd.db").string();
    } else {
      auto const url = postgresql().create_database();
      postgresql().execute("CREATE DATABASE " + url.substr(url.rfind('/') + 1) +
                           "_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
      url_ = url + "_ascii";
    }
    REQUIRE(run("migrate").status == 0);
  }

  std::string const& url() const noexcept { return url_; }

  Outcome run(std::string const& command) const { return run_deployd({command, "--database", url_}); }

  /// Runs a statement in which $p stands for the schema, and each $(HEX) for a text of these bytes.
  void write(std::string statement) const {
    for (auto at = statement.find("$p"); at != statement.npos; at = statement.find("$p"))
      statement.replace(at, 2, kind_ == StoreKind::sqlite ? "" : "deployd.");
    for (auto at = statement.find("$("); at != statement.npos; at = statement.find("$(")) {
      auto const end = statement.find(')', at);
      auto const hex = statement.substr(at + 2, end - at - 2);
      statement.replace(at, end - at + 1,
                        kind_ == StoreKind::sqlite ? "CAST(x'" + hex + "' AS TEXT)"
                                                   : "convert_from('\\x" + hex + "'::bytea, 'SQL_ASCII')");
    }
    *storage::open_session(*storage::parse_database_url(url_), storage::Access::write) << statement;
  }

 private:
  TemporaryDirectory directory_;
  StoreKind kind_;
  std::string url_;
};

StoreKind every_kind() {
  return GENERATE(StoreKind::sqlite, StoreKind::postgresql);
}

std::string token_of(UncheckedStore const& store) {
  auto const token = run_deployd({"token", "create", "--name", "t", "--database", store.url()}).out;
  return token.substr(0, token.find('\n'));
}

}  // namespace

TEST_CASE("bytes of a name that are not UTF-8 are replacement characters in answers", "[encodings]") {
  UncheckedStore const store(every_kind());
  store.write("INSERT INTO $ppatterns (id, name) VALUES (1, 'A'), (2, $(FF))");
  // x FF y; two bytes of a euro sign; an overlong slash; a surrogate; an e with an accent, which is UTF-8.
  store.write(
      "INSERT INTO $pdeployments (id, pattern_id, name) VALUES (1, 1, $(78FF79)), (2, 2, $(E282)), (3, 1, $(C0AF)), "
      "(4, 1, $(EDA080)), (5, 1, $(C3A9))");
  RunningDeployd const server(store.url());
  auto const line = bearer(token_of(store));
  auto const get = [&](std::string const& target) { return server.ask(request("GET", target, line)).body; };
  std::string const bad = "\xEF\xBF\xBD";
  CHECK(get("/api/v1/deployments") ==
        R"([{"id":1,"pattern_id":1,"name":"x)" + bad + R"(y"},{"id":2,"pattern_id":2,"name":")" + bad + bad +
            R"("},{"id":3,"pattern_id":1,"name":")" + bad + bad + R"("},{"id":4,"pattern_id":1,"name":")" + bad + bad +
            bad + "\"},{\"id\":5,\"pattern_id\":1,\"name\":\"\u00e9\"}]");
  CHECK(get("/api/v1/deployments/1") == R"({"id":1,"pattern_id":1,"name":"x)" + bad + R"(y"})");
  // Names are still told apart by their bytes.
  CHECK(get("/api/v1/deployments?name=%C3%A9") == "[{\"id\":5,\"pattern_id\":1,\"name\":\"\u00e9\"}]");
  CHECK(get("/api/v1/deployments?name=x%EF%BF%BDy") == "[]");
  CHECK(get("/api/v1/deployments?pattern=%EF%BF%BD").find("does not exist") != std::string::npos);
  CHECK(get("/api/v1/deployments?pattern=A&name=%C3%A9") == "[{\"id\":5,\"pattern_id\":1,\"name\":\"\u00e9\"}]");
}

TEST_CASE("an export of a name that is not UTF-8 is refused with the table and the id", "[encodings]") {
  UncheckedStore const store(every_kind());
  auto const expect_refusal = [&](std::string const& table, std::string const& id) {
    auto const outcome = store.run("export");
    CAPTURE(outcome.err);
    CHECK(outcome.status == 65);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(outcome.err.find(table + ": the name of the row with id " + id + " is not UTF-8") != std::string::npos);
  };
  store.write("INSERT INTO $ppatterns (id, name) VALUES (1, $(C3A9))");
  CHECK(store.run("export").status == 0);
  store.write("INSERT INTO $pdeployments (id, pattern_id, name) VALUES (6, 1, 'good'), (7, 1, $(61FF))");
  expect_refusal("deployments", "7");
  store.write("INSERT INTO $ppatterns (id, name) VALUES (8, $(E9))");
  expect_refusal("patterns", "8");
}

TEST_CASE("NUL inside a name in SQLite is part of it, in answers and exports", "[encodings]") {
  UncheckedStore const store(StoreKind::sqlite);
  store.write("INSERT INTO patterns (id, name) VALUES (1, 'A')");
  store.write("INSERT INTO deployments (id, pattern_id, name) VALUES (1, 1, $(610062)), (2, 1, $(61))");
  RunningDeployd const server(store.url());
  auto const line = bearer(token_of(store));
  auto const with_nul = R"({"id":1,"pattern_id":1,"name":"a\u0000b"})";
  CHECK(server.ask(request("GET", "/api/v1/deployments/1", line)).body == with_nul);
  CHECK(server.ask(request("GET", "/api/v1/deployments?name=a%00b", line)).body == '[' + std::string(with_nul) + ']');
  CHECK(server.ask(request("GET", "/api/v1/deployments?name=a", line)).body ==
        R"([{"id":2,"pattern_id":1,"name":"a"}])");
  CHECK(store.run("export").out.find(with_nul) != std::string::npos);
}

TEST_CASE("names of tokens that are not UTF-8 are listed in UTF-8", "[encodings]") {
  UncheckedStore const store(every_kind());
  token_of(store);
  store.write("UPDATE $papi_tokens SET name = $(78FF)");
  CHECK(run_deployd({"token", "list", "--database", store.url()}).out.ends_with(" x\xEF\xBF\xBD\n"));
  auto const json = run_deployd({"token", "list", "--format", "json", "--database", store.url()}).out;
  CHECK(json.find("\"name\":\"x\xEF\xBF\xBD\"") != std::string::npos);
}
