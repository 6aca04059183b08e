// Clients that are many, or mad.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "tests/faults/large_list.hpp"
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
  LimitedDeployd(std::string const& database, std::string const& limit, std::vector<std::string> const& more = {})
      : process(limited_deployd("ulimit " + limit, with(database, more))) {
    if (!more.empty()) admin_port = port_behind("/readyz on 127.0.0.1:");
    port = port_behind("listening on 127.0.0.1:");
  }
  Process process;
  std::uint16_t port = 0;
  std::uint16_t admin_port = 0;  // where there are more options

 private:
  static std::vector<std::string> with(std::string const& database, std::vector<std::string> const& more) {
    std::vector<std::string> arguments{"serve", "--database", database, "--listen", "127.0.0.1:0"};
    if (more.empty()) arguments.insert(arguments.end(), {"--workers", "1"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  std::uint16_t port_behind(std::string const& text) {
    auto const line = process.wait_for_line(text);
    return static_cast<std::uint16_t>(std::stoul(line.substr(line.find(text) + text.size())));
  }
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
  CHECK(limited.process.err().find("of 10000 connections can be open at a time, since only 64 descriptors") !=
        std::string::npos);
  std::deque<HttpConnection> connections;
  for (int i = 0; i < 100; ++i) {
    connections.emplace_back(limited.port);
    connections.back().send(request("GET", "/healthz"));
  }
  std::size_t served = 0;
  while (served < connections.size() && connections[served].has_bytes_within(1s)) ++served;
  CHECK(served >= 10);
  CHECK(served < 64);
  while (!connections.empty()) {
    CHECK(connections.front().read_answer().status == 200);
    connections.pop_front();
  }
  CHECK(limited.process.err().find("cannot accept connections") == std::string::npos);
}

TEST_CASE("strangers that take all connections leave descriptors for the admin address, the store and long lists") {
  for (auto const kind : {StoreKind::sqlite, StoreKind::postgresql}) {
    CAPTURE(kind);
    FilledStore const store(kind, large_list());
    auto const line = bearer(store.create_token());
    LimitedDeployd limited(
        store.url(), "-n 120",
        {"--workers", "2", "--cache-bytes", "0", "--store-timeout", "60s", "--admin-listen", "127.0.0.1:0"});
    CHECK(limited.process.err().find("since only 120 descriptors may be open: raise that limit to ") !=
          std::string::npos);
    std::vector<HttpConnection> clients;
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back(limited.port);
      CHECK(clients.back().ask(request("GET", "/healthz")).status == 200);
    }
    std::vector<HttpConnection> strangers;
    for (int i = 0; i < 200; ++i) strangers.emplace_back(limited.port);
    strangers.back().send(request("GET", "/healthz"));
    CHECK_FALSE(strangers.back().has_bytes_within(500ms));

    std::vector<HttpConnection> scrapers;
    for (int i = 0; i < 4; ++i) {
      scrapers.emplace_back(limited.admin_port);
      for (auto const* const target : {"/healthz", "/readyz", "/metrics"})
        CHECK(scrapers.back().ask(request("GET", target)).status == 200);
    }
    for (auto& client : clients) client.send(request("GET", "/api/v1/deployments?$limit=1&$skip=15000", line));
    for (auto& client : clients) CHECK(client.read_answer().status == 200);
    for (auto& client : clients)
      CHECK(client.ask(request("GET", "/api/v1/deployments", line)).body.size() > 16'000'000);
    limited.process.signal(SIGHUP);
    limited.process.wait_for_line("reloaded");
    CHECK(limited.process.err().find("cannot accept connections") == std::string::npos);
  }
}
