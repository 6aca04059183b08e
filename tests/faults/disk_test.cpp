// A disk without room.
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;

namespace {

/// `deployd ARGUMENTS` where no file can grow beyond 100 KiB: as good as a full disk, since the write fails.
Outcome run_without_room(std::vector<std::string> const& arguments, std::string const& input = {}) {
  Command command;
  command.arguments = {"/bin/bash", "-c", "ulimit -f 100 && trap '' XFSZ && exec \"$@\"", "sh", deployd_program()};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.input = input;
  return run(command);
}

std::string many_deployments() {
  std::string text = "{\"pattern\":{\"id\":50,\"name\":\"MANY\"}}\n";
  for (int i = 1000; i < 21'000; ++i)
    text +=
        R"({"deployment":{"id":)" + std::to_string(i) + R"(,"pattern_id":50,"name":"a name of some length"}})" + "\n";
  return text;
}

}  // namespace

TEST_CASE("an import that finds no room is exit 69, names the database, and changes nothing for whoever is served") {
  FilledStore const store(StoreKind::sqlite);
  auto const question = request("GET", "/api/v1/deployments", bearer(store.create_token()));
  RunningDeployd const server(store.url());
  auto const before = server.ask(question);
  CHECK(before.status == 200);

  auto const failed = run_without_room({"import", "--database", store.url(), "-"}, many_deployments());
  CHECK(failed.status == 69);
  CHECK(failed.err.starts_with("deployd: " + (store.directory() / "").string()));
  CHECK(failed.err.find('\n') == failed.err.size() - 1);

  auto const after = server.ask(question);
  CHECK(after.status == 200);
  CHECK(after.body == before.body);
  store.import(many_deployments());
  CHECK(server.ask(request("GET", "/api/v1/deployments/1000", bearer(store.create_token()))).status == 200);
}

TEST_CASE("a store that finds no room is exit 69, and nothing of it is taken for one") {
  TemporaryDirectory const directory;
  auto const url = "sqlite:" + (directory.path() / "new.db").string();
  Command command;
  command.arguments = {
      "/bin/bash",  "-c", "ulimit -f 4 && trap '' XFSZ && exec \"$@\"", "sh", deployd_program(), "migrate",
      "--database", url};
  auto const failed = run(command);
  CHECK(failed.status == 69);
  CHECK(failed.err.find("new.db") != std::string::npos);
  CHECK(run_deployd({"check", "--database", url}).status == 69);
  CHECK(run_deployd({"migrate", "--database", url}).status == 0);
}
