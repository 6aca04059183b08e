// SIGTERM, SIGKILL, and starting again.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>

#include "tests/faults/large_list.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

bool refuses_connections(std::uint16_t port) {
  try {
    HttpConnection const connection(port);
    return false;
  } catch (std::runtime_error const&) {
    return true;
  }
}

}  // namespace

TEST_CASE("SIGTERM and SIGINT end a server at rest with exit status 0, and its idle connections with it") {
  FilledStore const store(StoreKind::sqlite);
  for (int const signal : {SIGTERM, SIGINT}) {
    CAPTURE(signal);
    RunningDeployd server(store.url(), {"--workers", "2"});
    auto idle = server.connect();
    CHECK(idle.ask(request("GET", "/healthz")).status == 200);
    auto const fresh = server.connect();
    server.process().signal(signal);
    CHECK(server.process().wait(10s).status == 0);
    CHECK(idle.ends_within(5s));
    CHECK(refuses_connections(server.port()));
  }
}

TEST_CASE("what is under way at SIGTERM is finished: a stream, and a request that was arriving") {
  LargeStore const store;
  RunningDeployd server(store.url());
  auto stream = store.stalled(server);
  auto arriving = server.connect();
  arriving.send("GET /readyz HTTP/1.1\r\nHo");
  // Answered behind it on the same worker or not, this one shows that the head's first part has been read by now.
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
  CHECK_FALSE(arriving.has_bytes_within(50ms));

  server.process().signal(SIGTERM);
  CHECK(eventually(10s, [&] { return refuses_connections(server.port()); }));
  arriving.send("st: x\r\n\r\n");
  auto const ready = arriving.read_answer();
  CHECK(ready.status == 503);
  CHECK(ready["Connection"] == "close");
  CHECK(ready.has("Retry-After"));
  CHECK(arriving.ends_within(5s));

  auto const rest = stream.read_to_end();
  CHECK(rest.size() > 16'000'000);
  CHECK(rest.ends_with("\r\n0\r\n\r\n"));
  CHECK(server.process().wait(10s).status == 0);
}

TEST_CASE("a request that was sent before SIGTERM is answered, on an idle connection and on a new one") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd server(store.url(), {"--workers", "1"});
  auto idle = server.connect();
  CHECK(idle.ask(request("GET", "/healthz")).status == 200);
  server.process().signal(SIGSTOP);
  idle.send(request("GET", "/healthz"));
  auto fresh = server.connect();
  fresh.send(request("GET", "/healthz"));
  server.process().signal(SIGTERM);
  server.process().signal(SIGCONT);
  CHECK(idle.read_answer().status == 200);
  CHECK(fresh.read_answer().status == 200);
  CHECK(server.process().wait(10s).status == 0);
}

TEST_CASE("a client that was answered just before SIGTERM may send another request, and is told that it is the last") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd server(store.url(), {"--workers", "1"});
  auto busy = server.connect();
  CHECK_FALSE(busy.ask(request("GET", "/healthz")).has("Connection"));
  server.process().signal(SIGTERM);
  CHECK(eventually(10s, [&] { return refuses_connections(server.port()); }));
  auto const last = busy.ask(request("GET", "/healthz"));
  CHECK(last.status == 200);
  CHECK(last["Connection"] == "close");
  CHECK(busy.ends_within(5s));
  CHECK(server.process().wait(10s).status == 0);
}

TEST_CASE("of requests sent together at SIGTERM all are answered, and the last closes") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd server(store.url(), {"--workers", "1"});
  auto busy = server.connect();
  CHECK(busy.ask(request("GET", "/healthz")).status == 200);
  server.process().signal(SIGTERM);
  CHECK(eventually(10s, [&] { return refuses_connections(server.port()); }));
  busy.send(request("GET", "/healthz") + request("GET", "/readyz") + request("GET", "/healthz"));
  CHECK_FALSE(busy.read_answer().has("Connection"));
  CHECK_FALSE(busy.read_answer().has("Connection"));
  CHECK(busy.read_answer()["Connection"] == "close");
  CHECK(busy.ends_within(5s));
  CHECK(server.process().wait(10s).status == 0);
}

TEST_CASE("draining ends at the latest with the drain timeout") {
  LargeStore const store;
  RunningDeployd server(store.url(), {"--drain-timeout", "300ms"});
  auto const stalled = store.stalled(server);
  auto const start = std::chrono::steady_clock::now();
  server.process().signal(SIGTERM);
  auto const outcome = server.process().wait(20s);
  CHECK(outcome.status == 0);
  CHECK(outcome.err.find("--drain-timeout") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - start > 250ms);
}

TEST_CASE("a second signal ends the draining at once") {
  LargeStore const store;
  RunningDeployd server(store.url());
  auto const stalled = store.stalled(server);
  server.process().signal(SIGTERM);
  server.process().wait_for_line("signal 15");
  server.process().signal(SIGTERM);
  CHECK(server.process().wait(10s).status == 0);
}

TEST_CASE("a server that was killed starts again on the same address with the same data") {
  FilledStore const store(StoreKind::sqlite);
  auto const line = bearer(store.create_token());
  auto const path = (store.directory() / "deployd.sock").string();
  RunningDeployd first(store.url(), {"--listen", "unix:" + path});
  auto const port = std::to_string(first.port());
  auto open = first.connect();
  auto const before = open.ask(request("GET", "/api/v1/deployments", line));
  CHECK(before.status == 200);
  first.process().signal(SIGKILL);
  CHECK(first.process().wait().status == 128 + SIGKILL);

  RunningDeployd const second(store.url(), {"--listen", "unix:" + path, "--listen", "127.0.0.1:" + port});
  auto const after = HttpConnection(first.port()).ask(request("GET", "/api/v1/deployments", line));
  CHECK(after.body == before.body);
  CHECK(after["ETag"] == before["ETag"]);
  CHECK(HttpConnection(path).ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("an import that is killed leaves the data as it was, and the server serving it") {
  FilledStore const store(StoreKind::sqlite);
  auto const line = bearer(store.create_token());
  RunningDeployd const server(store.url());
  auto const before = server.ask(request("GET", "/api/v1/deployments", line)).body;
  Command command;
  command.arguments = {deployd_program(), "import", "--database", store.url(), "-"};
  command.input = large_list();
  for (int i = 0; i < 5; ++i) {
    Process import(command);
    // Killed while it reads, or a little later: the answers say which data there are.
    auto const now = server.ask(request("GET", "/api/v1/deployments", line)).body;
    import.signal(SIGKILL);
    import.wait();
    REQUIRE(now == before);
    REQUIRE(server.ask(request("GET", "/api/v1/deployments", line)).body == before);
  }
}

TEST_CASE("a client that had connected before SIGTERM may still send its first request") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd server(store.url(), {"--workers", "1"});
  auto fresh = server.connect();
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
  server.process().signal(SIGTERM);
  CHECK(eventually(10s, [&] { return refuses_connections(server.port()); }));
  auto const got = fresh.ask(request("GET", "/healthz"));
  CHECK(got.status == 200);
  CHECK(got["Connection"] == "close");
  CHECK(server.process().wait(10s).status == 0);
}

TEST_CASE("while one server takes over from another, no client is refused and none that is let in goes unanswered") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd first(store.url());
  auto const address = "127.0.0.1:" + std::to_string(first.port());
  RunningDeployd second(store.url(), {"--listen", address, "--take-over"});
  second.process().wait_for_line("listening on " + address);
  first.process().signal(SIGTERM);
  for (int i = 0; i < 500; ++i) REQUIRE(HttpConnection(first.port()).ask(request("GET", "/healthz")).status == 200);
  CHECK(first.process().wait(10s).status == 0);
}
