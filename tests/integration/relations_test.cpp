// CONTRACT: on PostgreSQL the two relations can be views over tables of another program.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/session/session.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;
namespace storage = deployd::storage;

namespace {

/// A database of another program, with views of its tables that the role `reader` may read, and nothing else.
struct OthersDatabase {
  OthersDatabase()
      : owner(postgresql().create_database()),
        name(owner.substr(owner.rfind('/') + 1)),
        reader(std::string(owner).replace(owner.find("postgres@"), 9, "reader@")),
        session(storage::open_session(*storage::parse_database_url(owner), storage::Access::write)) {
    for (auto const* const statement :
         {"DO $$BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END$$",
          "CREATE TABLE p (pid int, label varchar(20))", "CREATE TABLE d (did int, pid int, label varchar(20))",
          "INSERT INTO p VALUES (1, 'A'), (2, 'B')", "INSERT INTO d VALUES (1, 1, 'one'), (2, 2, 'two')",
          "CREATE SCHEMA meta", "CREATE VIEW meta.\"The Patterns\" AS SELECT pid AS id, label AS name FROM p",
          "CREATE VIEW meta.deployments AS SELECT did AS id, pid AS pattern_id, label AS name FROM d",
          "GRANT USAGE ON SCHEMA meta TO reader", "GRANT SELECT ON ALL TABLES IN SCHEMA meta TO reader"})
      *session << statement;
  }

  /// Counts the relations that deployd might have added.
  int relations() {
    int count = 0;
    *session << "SELECT count(*)::int FROM pg_catalog.pg_class", soci::into(count);
    return count;
  }

  std::string owner;
  std::string name;
  std::string reader;  // its URL
  std::unique_ptr<soci::session> session;
  std::vector<std::string> options{"--patterns-relation", "meta.\"The Patterns\"", "--deployments-relation",
                                   "meta.deployments"};

  Outcome run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--database", reader});
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run_deployd(arguments, {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  }
};

std::string signed_token() {
  auto const token = run_deployd({"token", "sign", "--subject", "jane"}, {{"DEPLOYD_JWT_SECRET", jwt_secret}}).out;
  return token.substr(0, token.find('\n'));
}

}  // namespace

TEST_CASE("views of another program are served to JWTs, fresh within a second, by a role that may only read them",
          "[relations]") {
  OthersDatabase others;
  auto const before = others.relations();
  RunningDeployd server(others.reader, others.options, {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  CHECK(server.process().err().find("API tokens cannot be stored or checked") != std::string::npos);
  auto const line = bearer(signed_token());
  auto const get = [&](std::string const& target) { return server.ask(request("GET", target, line)); };
  CHECK(get("/api/v1/deployments?pattern=A").body == R"([{"id":1,"pattern_id":1,"name":"one"}])");
  CHECK(get("/api/v1/deployments/2").body == R"({"id":2,"pattern_id":2,"name":"two"})");
  CHECK(get("/api/v1/deployments?pattern=X").status == 404);
  CHECK(server.ask(request("GET", "/api/v1/deployments", bearer("dpd_" + std::string(43, 'A')))).status == 401);

  *others.session << "UPDATE d SET label = 'other' WHERE did = 1";
  auto const changed = std::chrono::steady_clock::now();
  CHECK(eventually(5s, [&] { return get("/api/v1/deployments/1").body.find("other") != std::string::npos; }));
  CHECK(std::chrono::steady_clock::now() - changed < 1s);

  CHECK(others.run({"check"}).status == 0);
  CHECK(others.run({"migrate"}).status == 0);
  CHECK(others.run({"export", "--format", "ndjson"})
            .out.ends_with(R"({"deployment":{"id":2,"pattern_id":2,"name":"two"}})"
                           "\n"));
  CHECK(others.relations() == before);
}

TEST_CASE("what cannot be done beside the relations of another program is refused in one line", "[relations]") {
  OthersDatabase const others;
  auto const expect = [&](std::vector<std::string> const& arguments, int status, std::string const& culprit) {
    auto const outcome = others.run(arguments);
    CAPTURE(arguments.front(), outcome.err);
    CHECK(outcome.status == status);
    CHECK(outcome.out.empty());
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(outcome.err.find(culprit) != std::string::npos);
  };
  expect({"import", "-"}, 65, "--patterns-relation");
  expect({"token", "create", "--name", "x"}, 69, "API tokens");
  expect({"token", "list"}, 69, "API tokens");
  expect({"token", "revoke", "1"}, 69, "API tokens");
}

TEST_CASE("beside the relations of another program deployd keeps tokens in a schema of its own where it may make one",
          "[relations]") {
  OthersDatabase others;
  *others.session << "GRANT CREATE ON DATABASE " + others.name + " TO reader";
  auto const before_migrate = others.run({"check"});
  CHECK(before_migrate.status == 69);
  CHECK(before_migrate.err.find("deployd migrate") != std::string::npos);
  auto const created = others.run({"token", "create", "--name", "x"});
  CHECK(created.status == 0);
  auto const line = bearer(created.out.substr(0, created.out.find('\n')));
  RunningDeployd const server(others.reader, others.options);
  CHECK(server.ask(request("GET", "/api/v1/deployments/1", line)).status == 200);
  CHECK(others.run({"token", "revoke", "1"}).status == 0);
  CHECK(eventually(5s, [&] { return server.ask(request("GET", "/api/v1/deployments/1", line)).status == 401; }));
}

TEST_CASE("relations that are not to be had are named", "[relations]") {
  OthersDatabase others;
  auto const expect = [&](std::vector<std::string> options, int status, std::string const& culprit) {
    others.options = std::move(options);
    auto const outcome = others.run({"check"});
    CAPTURE(outcome.err);
    CHECK(outcome.status == status);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(outcome.err.find(culprit) != std::string::npos);
  };
  auto const relations = [](std::string const& patterns, std::string const& deployments) {
    return std::vector<std::string>{"--patterns-relation", patterns, "--deployments-relation", deployments};
  };
  auto const good = "meta.\"The Patterns\"";
  expect(relations("meta.none", "meta.deployments"), 69, "meta.none");
  expect(relations(good, "meta.none"), 69, "meta.none");
  expect(relations(good, good), 69, "pattern_id");
  expect(relations("public.p", "meta.deployments"), 69, "public.p");
  expect(relations("a.b.c", "meta.deployments"), 64, "--patterns-relation");
  expect(relations(good, "d; DROP TABLE d"), 64, "--deployments-relation");
  expect({"--patterns-relation", good}, 64, "--deployments-relation");
  others.reader = "sqlite:deployd.db";
  expect(relations("p", "d"), 64, "--patterns-relation");
}
