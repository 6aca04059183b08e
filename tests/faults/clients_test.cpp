// Clients that are many, or mad.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

TEST_CASE("past --max-connections a connection waits until there is room") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd const server(store.url(), {"--max-connections", "3", "--workers", "1"});
  auto const health = request("GET", "/healthz");
  std::vector<HttpConnection> connections;
  for (int i = 0; i < 3; ++i) {
    connections.push_back(server.connect());
    CHECK(connections.back().ask(health).status == 200);
  }
  auto waiting = server.connect();
  waiting.send(health);
  CHECK_FALSE(waiting.has_bytes_within(200ms));
  CHECK(connections.front().ask(health).status == 200);
  connections.pop_back();
  CHECK(waiting.read_answer().status == 200);
}

TEST_CASE("past --max-connections-per-address a connection is closed at once, whichever worker has the others") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd server(store.url(), {"--max-connections-per-address", "3", "--workers", "2"});
  auto const health = request("GET", "/healthz");
  std::deque<HttpConnection> connections;
  for (int i = 0; i < 3; ++i) {
    connections.push_back(server.connect());
    CHECK(connections.back().ask(health).status == 200);
  }
  for (int i = 0; i < 5; ++i) {
    auto fourth = server.connect();
    CHECK(fourth.ends_within(5s));
    CHECK(fourth.reset());
  }
  server.process().wait_for_line("a connection from 127.0.0.1:");
  CHECK(HttpConnection(server.port(), "127.0.0.2").ask(health).status == 200);
  CHECK(connections.front().ask(health).status == 200);

  connections.pop_front();
  CHECK(eventually(10s, [&] {
    auto another = server.connect();
    another.send(health);
    if (another.ends_within(100ms)) return false;
    return another.read_answer().status == 200;
  }));
  server.process().signal(15);
  auto const ended = server.process().wait();
  CHECK(ended.status == 0);
  auto const first = ended.err.find("--max-connections-per-address");
  CHECK(ended.err.find("--max-connections-per-address", first + 1) == std::string::npos);
}

TEST_CASE("clients of a Unix domain socket do not count for --max-connections-per-address") {
  FilledStore const store(StoreKind::sqlite);
  auto const path = (store.directory() / "api.sock").string();
  RunningDeployd const server(store.url(), {"--max-connections-per-address", "1", "--listen", "unix:" + path});
  std::vector<HttpConnection> connections;
  for (int i = 0; i < 5; ++i) {
    connections.emplace_back(path);
    CHECK(connections.back().ask(request("GET", "/healthz")).status == 200);
  }
}

TEST_CASE("junk is answered with an error or not at all, and the server goes on") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd server(store.url(), {"--header-timeout", "200ms"});
  std::mt19937 random(5);
  std::vector<HttpConnection> connections;
  for (int i = 0; i < 100; ++i) {
    std::string junk;
    for (auto left = 1 + random() % 3000; left > 0; --left) junk += static_cast<char>(random());
    connections.push_back(server.connect());
    connections.back().send(junk);
    connections.back().finish_sending();
  }
  for (auto& connection : connections) {
    auto const answer = connection.read_to_end();
    CAPTURE(answer);
    CHECK((answer.empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 5")));
  }
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
  server.process().signal(15);
  CHECK(server.process().wait().status == 0);
}

TEST_CASE("a good request with any byte of it changed gets one whole answer or none") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd const server(store.url(), {"--header-timeout", "200ms"});
  auto const good = request("GET", "/api/v1/deployments/1", bearer(store.create_token()) + "Content-Length: 0\r\n");
  std::mt19937 random(9);
  for (int i = 0; i < 300; ++i) {
    auto bytes = good;
    bytes[random() % bytes.size()] = static_cast<char>(random());
    CAPTURE(bytes);
    auto connection = server.connect();
    connection.send(bytes);
    connection.finish_sending();
    auto const answer = connection.read_to_end();
    CHECK((answer.empty() || answer.starts_with("HTTP/1.1 ")));
  }
  CHECK(server.ask(good).status == 200);
}

TEST_CASE("many connections at once are all served") {
  FilledStore const store(StoreKind::sqlite);
  auto const line = bearer(store.create_token());
  RunningDeployd const server(store.url());
  std::vector<HttpConnection> connections;
  for (int i = 0; i < 500; ++i) connections.push_back(server.connect());
  for (auto& connection : connections) connection.send(request("GET", "/api/v1/deployments", line));
  for (auto& connection : connections) REQUIRE(connection.read_answer().status == 200);
}

namespace {

/// A server that may have so many descriptors open, by the soft limit (`-S`) or by any means (`-`), and its port.
struct LimitedDeployd {
  LimitedDeployd(std::string const& database, std::string const& limit)
      : process(limited_deployd("ulimit " + limit,
                                {"serve", "--database", database, "--listen", "127.0.0.1:0", "--workers", "1"})) {
    auto const line = process.wait_for_line("listening on 127.0.0.1:");
    port = static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':') + 1)));
  }
  Process process;
  std::uint16_t port = 0;
};

}  // namespace

TEST_CASE("a low soft limit on descriptors is raised for as many connections as are allowed") {
  FilledStore const store(StoreKind::sqlite);
  LimitedDeployd const limited(store.url(), "-Sn 64");
  std::vector<HttpConnection> connections;
  for (int i = 0; i < 200; ++i) {
    connections.emplace_back(limited.port);
    REQUIRE(connections.back().ask(request("GET", "/healthz")).status == 200);
  }
}

TEST_CASE("a server that may not even open what it needs without a client says so in one line, and is exit 69") {
  FilledStore const store(StoreKind::sqlite);
  for (std::string const limit : {"10", "20", "30", "40"}) {
    auto const refused = run(limited_deployd(
        "ulimit -n " + limit, {"serve", "--database", store.url(), "--listen", "127.0.0.1:0", "--workers", "2"}));
    CAPTURE(limit, refused.err);
    CHECK(refused.status == 69);
    CHECK(refused.err.starts_with("deployd: only " + limit + " descriptors may be open, and "));
    CHECK(std::ranges::count(refused.err, '\n') == 1);
  }
}

TEST_CASE("past the hard limit on descriptors connections wait until there is room") {
  FilledStore const store(StoreKind::sqlite);
  LimitedDeployd limited(store.url(), "-n 64");
  CHECK(limited.process.err().find("only 64 descriptors") != std::string::npos);
  std::deque<HttpConnection> connections;
  for (int i = 0; i < 100; ++i) {
    connections.emplace_back(limited.port);
    connections.back().send(request("GET", "/healthz"));
  }
  limited.process.wait_for_line("cannot accept connections");
  std::size_t served = 0;
  while (served < connections.size() && connections[served].has_bytes_within(1s)) ++served;
  CHECK(served > 20);
  CHECK(served < 64);
  while (!connections.empty()) {
    CHECK(connections.front().read_answer().status == 200);
    connections.pop_front();
  }
}
