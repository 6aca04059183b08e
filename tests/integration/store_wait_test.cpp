// CONTRACT: --wait-for-store waits at the start for a store that is away, and for nothing else.
#include <catch2/catch_test_macros.hpp>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;

namespace {

/// `deployd COMMAND` with ten minutes of patience, for longer than a test may take.
Command patient(std::string const& database, std::vector<std::string> arguments, std::string const& input = {}) {
  arguments.insert(arguments.begin(), deployd_program());
  arguments.insert(arguments.end(), {"--database", database, "--wait-for-store", "10m"});
  Command command;
  command.arguments = std::move(arguments);
  command.input = input;
  return command;
}

std::vector<std::string> const serving{"serve", "--listen", "127.0.0.1:0"};

}  // namespace

TEST_CASE("serve, migrate and import wait for a PostgreSQL that is away", "[store_wait]") {
  PostgresqlServer server;
  auto const database = server.create_database();
  REQUIRE(run_deployd({"migrate", "--database", database}).status == 0);
  server.crash();
  Process serve(patient(database, serving));
  Process migrate(patient(database, {"migrate"}));
  Process import(patient(database, {"import", "-"}, sample_data));
  for (auto* const process : {&serve, &migrate, &import}) process->wait_for_line("waiting for the store, ");
  server.start();
  serve.wait_for_line("the store is available after ");
  serve.wait_for_line("listening on 127.0.0.1:");
  CHECK(migrate.wait().status == 0);
  CHECK(import.wait().out.starts_with("Imported 3 patterns"));
}

TEST_CASE("serve waits for a schema that another process makes", "[store_wait]") {
  TemporaryDirectory const directory;
  auto const database = "sqlite:" + (directory.path() / "deployd.db").string();
  Process serve(patient(database, serving));
  serve.wait_for_line("run `deployd migrate`");
  REQUIRE(run_deployd({"migrate", "--database", database}).status == 0);
  serve.wait_for_line("listening on 127.0.0.1:");
}

TEST_CASE("waiting for the store ends at SIGTERM, and after its time", "[store_wait]") {
  auto const away = "postgresql://nobody@127.0.0.1:" + std::to_string(free_port()) + "/none";
  for (auto const& [arguments, status] : {std::pair{serving, 0}, {std::vector<std::string>{"migrate"}, 69}}) {
    Process process(patient(away, arguments));
    process.wait_for_line("waiting for the store, ");
    process.signal(SIGTERM);
    CHECK(process.wait().status == status);
  }
  auto const outcome = run_deployd({"migrate", "--database", away, "--wait-for-store", "50ms"});
  CAPTURE(outcome.err);
  CHECK(outcome.status == 69);
  CHECK(outcome.err.find("deployd: --database: postgresql://nobody@127.0.0.1:") != std::string::npos);
  CHECK(outcome.err.ends_with(" s: --wait-for-store)\n"));
}

TEST_CASE("a store that waiting cannot help is refused at once", "[store_wait]") {
  TemporaryDirectory const directory;
  auto const junk = directory.write("junk.db", std::string(4096, 'x'));
  auto const outcome = run(patient("sqlite:" + junk, serving));
  CHECK(outcome.status == 69);
  CHECK(outcome.err.find("waiting") == std::string::npos);
  auto const missing = "sqlite:" + (directory.path() / "none" / "deployd.db").string();
  CHECK(run(patient(missing, {"migrate"})).status == 69);
}
