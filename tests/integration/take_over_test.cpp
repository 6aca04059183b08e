// --take-over: an old and a new server on one address.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <filesystem>
#include <string>

#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

FilledStore const& store() {
  static FilledStore const made(StoreKind::sqlite);
  return made;
}

/// A server that listens on `address` alone.
Command serve_on(std::string const& address, std::vector<std::string> const& options = {}) {
  Command command;
  command.arguments = {deployd_program(), "serve", "--database", store().url(), "--listen", address};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  return command;
}

}  // namespace

TEST_CASE("what waits to be accepted when the old server goes is served by the new one", "[take_over]") {
  auto const workers = GENERATE("1", "2", "3");  // of the new one; the old has two
  RunningDeployd old(store().url(), {"--workers", "2"});
  Process young(serve_on("127.0.0.1:" + std::to_string(old.port()), {"--take-over", "--workers", workers}));
  young.wait_for_line("listening on");
  young.signal(SIGSTOP);
  old.process().signal(SIGTERM);
  CHECK(old.process().wait().status == 0);
  std::vector<HttpConnection> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.emplace_back(old.port());
    waiting.back().send(request("GET", "/healthz"));
  }
  young.signal(SIGCONT);
  for (auto& connection : waiting) CHECK(connection.read_answer().status == 200);
}

TEST_CASE("servers can take over from each other any number of times", "[take_over]") {
  TemporaryDirectory const directory;
  auto const path = (directory.path() / "deployd.sock").string();
  auto const address = "unix:" + path;
  auto current = std::make_unique<Process>(serve_on(address));
  current->wait_for_line("listening on");
  for (int times = 0; times < 5; ++times) {
    auto next = std::make_unique<Process>(serve_on(address, {"--take-over"}));
    next->wait_for_line("listening on " + address);
    current->signal(SIGTERM);
    CHECK(HttpConnection(path).ask(request("GET", "/healthz")).status == 200);
    CHECK(current->wait().status == 0);
    CHECK(HttpConnection(path).ask(request("GET", "/healthz")).status == 200);
    current = std::move(next);
  }
  current->signal(SIGTERM);
  CHECK(current->wait().status == 0);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("one that cannot start leaves the old server as it was", "[take_over]") {
  TemporaryDirectory const directory;
  auto const path = (directory.path() / "deployd.sock").string();
  Process old(serve_on("unix:" + path));
  old.wait_for_line("listening on");
  auto const outcome =
      run(serve_on("unix:" + path, {"--take-over", "--jwks", directory.write("bad.json", "{"), "--workers", "1"}));
  CHECK(outcome.status == 78);
  CHECK(HttpConnection(path).ask(request("GET", "/healthz")).status == 200);
  old.signal(SIGTERM);
  CHECK(old.wait().status == 0);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("without --take-over an address in use stays with the one that has it", "[take_over]") {
  RunningDeployd const old(store().url());
  auto const outcome = run(serve_on("127.0.0.1:" + std::to_string(old.port())));
  CHECK(outcome.status == 69);
  CHECK(old.ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("with nobody to take over from, an address is simply listened on", "[take_over]") {
  RunningDeployd const server(store().url(), {"--take-over"});
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
}
