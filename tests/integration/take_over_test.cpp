// --take-over: an old and a new server on one address.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <filesystem>
#include <string>

#include "tests/integration/admin_listener.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

/// A server that listens on `address` alone.
Command serve_on(std::string const& address, std::vector<std::string> const& options = {}) {
  Command command;
  command.arguments = {deployd_program(), "serve", "--database", store().url(), "--listen", address};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  return command;
}

/// Two servers on one admin address, a Unix domain socket: of an old one with two workers, which has been asked for it
/// by a young one with one worker.
struct AdminTakenOver {
  TemporaryDirectory directory;
  std::string path = (directory.path() / "admin.sock").string();
  RunningDeployd old{store().url(), {"--admin-listen", "unix:" + path, "--workers", "2"}};
  Process young{serve_on("127.0.0.1:" + std::to_string(old.port()),
                         {"--admin-listen", "unix:" + path, "--workers", "1", "--take-over"})};

  AdminTakenOver() { young.wait_for_line("are served by the older deployd until it drains"); }

  HttpAnswer ask(std::string const& target) const { return HttpConnection(path).ask(request("GET", target)); }

  /// How many workers the server has that answers.
  double workers() const { return Metrics(ask("/metrics").body)["deployd_workers"]; }

  /// Has the old one drain, and wait for the rest of a request.
  void drain_old() {
    arriving.send("GET /healthz HTTP/1.1\r\n");
    CHECK(old.ask(request("GET", "/healthz")).status == 200);
    old.process().signal(SIGTERM);
  }
  HttpConnection arriving = old.connect();
};

}  // namespace

TEST_CASE("an admin address is the old server's until it drains, then the young one's, and never refuses",
          "[take_over]") {
  AdminTakenOver both;
  for (int times = 0; times < 10; ++times) CHECK(both.workers() == 2);
  both.drain_old();
  CHECK(eventually(5s, [&] { return both.workers() == 1; }));
  both.young.wait_for_line("/readyz on unix:" + both.path);
  CHECK(both.ask("/readyz").status == 200);
  both.arriving.send("Host: x\r\n\r\n");
  CHECK(both.arriving.read_answer().status == 200);
  CHECK(both.old.process().wait().status == 0);
  CHECK(both.workers() == 1);
}

TEST_CASE("an admin address goes to the young server when the old one is killed", "[take_over]") {
  AdminTakenOver both;
  both.old.process().signal(SIGKILL);
  CHECK(both.workers() == 1);
}

TEST_CASE("an admin address stays the old server's to its end when the young one is gone", "[take_over]") {
  AdminTakenOver both;
  both.young.signal(SIGKILL);
  both.young.wait();
  both.drain_old();
  CHECK(eventually(5s, [&] { return both.ask("/readyz").status == 503; }));
  CHECK(both.workers() == 2);
}

TEST_CASE("an admin address is taken over any number of times", "[take_over]") {
  auto current =
      std::make_unique<RunningDeployd>(store().url(), std::vector<std::string>{"--admin-listen", "127.0.0.1:0"});
  auto const port = admin_port(*current);
  for (int times = 0; times < 3; ++times) {
    auto next = std::make_unique<RunningDeployd>(
        store().url(), std::vector<std::string>{"--admin-listen", "127.0.0.1:" + std::to_string(port), "--take-over"});
    current->process().signal(SIGTERM);
    CHECK(current->process().wait().status == 0);
    next->process().wait_for_line("/readyz on 127.0.0.1:" + std::to_string(port));
    CHECK(HttpConnection(port).ask(request("GET", "/readyz")).status == 200);
    current = std::move(next);
  }
}

TEST_CASE("an admin address that stands for several is taken over as one", "[take_over]") {
  RunningDeployd old(store().url(), {"--admin-listen", ":0"});
  std::string const all_addresses = "/readyz on 0.0.0.0:";
  auto const at = old.process().err().find(all_addresses);
  REQUIRE(at != std::string::npos);
  auto const port = std::stoul(old.process().err().substr(at + all_addresses.size()));
  RunningDeployd young(store().url(), {"--admin-listen", std::to_string(port), "--take-over"});
  old.process().signal(SIGTERM);
  CHECK(old.process().wait().status == 0);
  young.process().wait_for_line(all_addresses + std::to_string(port));
  CHECK(HttpConnection(static_cast<std::uint16_t>(port)).ask(request("GET", "/readyz")).status == 200);
  auto const& log = young.process().err();
  std::string const waiting = "are served by the older deployd until it drains";
  CHECK(log.find(waiting) != std::string::npos);
  CHECK(log.find(waiting) == log.rfind(waiting));
}

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
