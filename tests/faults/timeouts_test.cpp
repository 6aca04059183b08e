// Clients that do not say all, or do not listen: each wait has its end.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>

#include "tests/faults/large_list.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

/// How long `wait` takes.
template <typename Wait>
std::chrono::milliseconds time_of(Wait wait) {
  auto const start = std::chrono::steady_clock::now();
  wait();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

}  // namespace

TEST_CASE("a request that does not arrive in time is a 408, and the connection closed") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd const server(store.url(), {"--header-timeout", "400ms"});
  for (std::string const part : {"G", "GET / HTTP/1.1\r\nHost: x\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r"}) {
    CAPTURE(part);
    auto connection = server.connect();
    connection.send(part);
    HttpAnswer got;
    auto const took = time_of([&] { got = connection.read_answer(); });
    CHECK(took > 300ms);
    CHECK(took < 5s);
    CHECK(got.status == 408);
    CHECK(got["Connection"] == "close");
    CHECK(got.body == error_json("Timeout", "The request did not arrive in time", 408, "timeout"));
    connection.finish_sending();
    CHECK(connection.read_to_end().empty());
  }
}

TEST_CASE("a HEAD that does not arrive in time is a 408 without a body") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd const server(store.url(), {"--header-timeout", "400ms"});
  auto connection = server.connect();
  connection.send("HEAD / HTTP/1.1\r\nHost: x\r\n");
  CHECK(connection.read_answer(true).status == 408);
  connection.finish_sending();
  CHECK(connection.read_to_end().empty());
}

TEST_CASE("a request that arrives in drops has no more time than any other") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd const server(store.url(), {"--header-timeout", "500ms"});
  auto connection = server.connect();
  connection.send("GET / HTTP/1.1\r\nHost: x\r\nA: ");
  auto const took = time_of([&] {
    CHECK(eventually(10s, [&] {
      connection.send("a");
      return connection.has_bytes_within(20ms);
    }));
  });
  CHECK(connection.read_answer().status == 408);
  CHECK(took > 400ms);
  CHECK(took < 5s);
}

TEST_CASE("a connection without a request is closed after the idle timeout, without a word") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd const server(store.url(), {"--idle-timeout", "400ms"});
  auto fresh = server.connect();
  auto used = server.connect();
  CHECK(used.ask(request("GET", "/healthz")).status == 200);
  CHECK(time_of([&] { CHECK(used.ends_within(10s)); }) > 300ms);
  CHECK(fresh.ends_within(10s));
}

TEST_CASE("a body that does not arrive ends its connection and nothing else") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd const server(store.url(), {"--header-timeout", "300ms"});
  auto connection = server.connect();
  CHECK(connection.ask(request("POST", "/healthz", "Content-Length: 10\r\n")).status == 501);
  connection.send("12345");
  CHECK(connection.ends_within(10s));
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("a client that stops reading is dropped after the write timeout") {
  LargeStore const store;
  RunningDeployd server(store.url(), {"--write-timeout", "400ms", "--access-log", "text", "--workers", "1"});
  auto connection = store.stalled(server);
  auto const took = time_of([&] { server.process().wait_for_line("GET /api/v1/deployments"); });
  CHECK(took > 300ms);
  CHECK(took < 10s);
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
  auto const rest = connection.read_to_end();
  CHECK(rest.size() < 16'000'000);
  CHECK_FALSE(rest.ends_with("\r\n0\r\n\r\n"));
}

TEST_CASE("a client that reads slower than the stream timeout allows is dropped") {
  LargeStore const store;
  RunningDeployd server(store.url(), {"--stream-timeout", "400ms", "--access-log", "text", "--workers", "1"});
  auto connection = store.stalled(server);
  server.process().wait_for_line("GET /api/v1/deployments", 10s);
  CHECK_FALSE(connection.read_to_end().ends_with("\r\n0\r\n\r\n"));
  CHECK(server.ask(request("GET", "/api/v1/deployments/1", store.line)).status == 200);
}

TEST_CASE("a client of HTTP/1.0, which has no chunks to count, is told by a reset that its list was cut") {
  LargeStore const store;
  for (std::string const option : {"--write-timeout", "--stream-timeout"}) {
    CAPTURE(option);
    RunningDeployd server(store.url(), {option, "400ms", "--access-log", "text", "--workers", "1"});
    auto connection = store.stalled(server, "1.0");
    server.process().wait_for_line("GET /api/v1/deployments", 10s);
    CHECK(connection.read_to_end().size() < 16'000'000);
    CHECK(connection.reset());
  }
  RunningDeployd server(store.url(), {"--drain-timeout", "300ms"});
  auto connection = store.stalled(server, "1.0");
  server.process().signal(SIGTERM);
  CHECK(server.process().wait(20s).status == 0);
  CHECK(connection.read_to_end().size() < 16'000'000);
  CHECK(connection.reset());
}

TEST_CASE("a client that reads slowly but steadily outlives the write timeout") {
  LargeStore const store;
  RunningDeployd const server(store.url(), {"--write-timeout", "700ms"});
  auto connection = store.stalled(server);
  auto other = server.connect();
  auto const took = time_of([&] {
    for (int i = 0; i < 100; ++i) {
      connection.skip(128 * 1024);
      eventually(15ms, [&] { return other.ask(request("GET", "/healthz")).status != 200; });
    }
  });
  CHECK(took > 1400ms);
  connection.finish_sending();
  CHECK(connection.read_to_end().ends_with("\r\n0\r\n\r\n"));
}

TEST_CASE(
    "a client that reads far less than the kernel holds for it outlives the write timeout, and no more once it stops") {
  LargeStore const store;
  RunningDeployd server(store.url(), {"--write-timeout", "500ms", "--access-log", "text", "--workers", "1"});
  auto connection = store.stalled(server, "1.1", 128 * 1024);
  auto silent = server.connect();
  auto const read_slowly = [&] {
    for (int i = 0; i < 100; ++i) {
      connection.skip(16 * 1024);
      silent.has_bytes_within(15ms);
    }
  };
  CHECK(time_of(read_slowly) > 1400ms);
  auto const took = time_of([&] { server.process().wait_for_line("GET /api/v1/deployments"); });
  CHECK(took > 300ms);
  CHECK(took < 10s);
  CHECK_FALSE(connection.read_to_end().ends_with("\r\n0\r\n\r\n"));
}

TEST_CASE("while a client does not read, the same worker serves others") {
  LargeStore const store;
  RunningDeployd const server(store.url(), {"--workers", "1"});
  auto const first = store.stalled(server);
  auto const second = store.stalled(server);
  for (int i = 0; i < 100; ++i) REQUIRE(server.ask(request("GET", "/api/v1/deployments/1", store.line)).status == 200);
}
