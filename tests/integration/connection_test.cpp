// Connections: keep-alive, pipelining, and bodies that are never taken for requests.
#include <catch2/catch_test_macros.hpp>

#include <string>

#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

RunningDeployd const& server() {
  return service(StoreKind::sqlite).server;
}

std::string const health = request("GET", "/healthz");

}  // namespace

TEST_CASE("an HTTP/1.1 connection stays, until the client wants it closed", "[connection]") {
  auto connection = server().connect();
  for (int i = 0; i < 3; ++i) {
    auto const got = connection.ask(health);
    CHECK(got.status == 200);
    CHECK_FALSE(got.has("Connection"));
  }
  CHECK(connection.ask(request("GET", "/healthz", "Connection: close\r\n"))["Connection"] == "close");
  CHECK(connection.ends_within(5s));
}

TEST_CASE("an HTTP/1.0 connection is closed, unless the client wants it kept", "[connection]") {
  auto connection = server().connect();
  auto const kept = connection.ask("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(kept.status == 200);
  CHECK(kept["Connection"] == "keep-alive");
  CHECK(connection.ask("GET /healthz HTTP/1.0\r\n\r\n")["Connection"] == "close");
  CHECK(connection.ends_within(5s));
}

TEST_CASE("close anywhere in Connection closes, whatever else it says and in each version", "[connection]") {
  for (std::string const version : {"1.0", "1.1"}) {
    for (std::string const lines :
         {"Connection: keep-alive, close\r\n", "Connection: close, keep-alive\r\n",
          "Connection: keep-alive\r\nConnection: x, Close\r\n", "Connection: close\r\nConnection: keep-alive\r\n"}) {
      CAPTURE(version, lines);
      auto connection = server().connect();
      CHECK(connection.ask("GET /healthz HTTP/" + version + "\r\nHost: x\r\n" + lines + "\r\n")["Connection"] ==
            "close");
      CHECK(connection.ends_within(5s));
    }
  }
}

TEST_CASE("pipelined requests are answered in order, however many and however cut", "[connection]") {
  with_each_store([](Service& service) {
    auto const line = bearer(service.token);
    for (std::size_t const piece : {std::size_t{1} << 20, std::size_t{777}, std::size_t{13}}) {
      CAPTURE(service.store.kind(), piece);
      std::string all;
      for (int i = 0; i < 100; ++i) all += request("GET", "/api/v1/deployments/" + std::to_string(i % 6), line);
      auto connection = service.server.connect();
      for (std::size_t at = 0; at < all.size(); at += piece) connection.send(std::string_view(all).substr(at, piece));
      for (int i = 0; i < 100; ++i) {
        auto const id = i % 6;
        auto const got = connection.read_answer();
        REQUIRE(got.status == (id >= 1 && id <= 4 ? 200U : 404U));
        REQUIRE(got.body.find(id >= 1 && id <= 4 ? "{\"id\":" + std::to_string(id) + ","
                                                 : "id '" + std::to_string(id) + "'") != std::string::npos);
      }
    }
  });
}

TEST_CASE("requests behind one that closes the connection, or that cannot be read, are not answered", "[connection]") {
  auto connection = server().connect();
  connection.send(health + request("GET", "/healthz", "Connection: close\r\n") + health);
  CHECK(connection.read_answer().status == 200);
  CHECK(connection.read_answer()["Connection"] == "close");
  connection.finish_sending();
  CHECK(connection.read_to_end().empty());

  auto broken = server().connect();
  broken.send(health + "GET / HTTP/1.1\nHost: x\r\n\r\n" + health);
  CHECK(broken.read_answer().status == 200);
  CHECK(broken.read_answer().status == 400);
  broken.finish_sending();
  CHECK(broken.read_to_end().empty());
}

TEST_CASE("a body with a Content-Length is thrown away and never taken for a request", "[connection]") {
  auto const smuggled = request("GET", "/smuggled");
  auto const head = request("POST", "/healthz", "Content-Length: " + std::to_string(smuggled.size()) + "\r\n");
  SECTION("in one piece with its head and the next request") {
    auto connection = server().connect();
    connection.send(head + smuggled + health);
    CHECK(connection.read_answer().status == 501);
    CHECK(connection.read_answer().body == R"({"status":"ok"})");
  }
  SECTION("after its answer") {
    auto connection = server().connect();
    CHECK(connection.ask(head).status == 501);
    connection.send(smuggled);
    CHECK(connection.ask(health).body == R"({"status":"ok"})");
  }
  SECTION("byte by byte") {
    auto connection = server().connect();
    for (char const byte : head + smuggled + health) connection.send({&byte, 1});
    CHECK(connection.read_answer().status == 501);
    CHECK(connection.read_answer().body == R"({"status":"ok"})");
  }
  SECTION("large") {
    auto connection = server().connect();
    connection.send(request("PUT", "/healthz", "Content-Length: 65536\r\n"));
    std::string body;
    while (body.size() < 65536) body += smuggled;
    connection.send(body.substr(0, 65536) + health);
    CHECK(connection.read_answer().status == 501);
    CHECK(connection.read_answer().body == R"({"status":"ok"})");
  }
  SECTION("of a GET") {
    auto connection = server().connect();
    connection.send(request("GET", "/healthz", "Content-Length: 5\r\n") + "GET /" + health);
    CHECK(connection.read_answer().status == 200);
    CHECK(connection.read_answer().status == 200);
  }
  SECTION("with a refusal of its token") {
    auto connection = server().connect();
    connection.send(
        request("POST", "/api/v1/deployments", "Content-Length: " + std::to_string(smuggled.size()) + "\r\n") +
        smuggled + health);
    CHECK(connection.read_answer().status == 401);
    CHECK(connection.read_answer().body == R"({"status":"ok"})");
  }
}

TEST_CASE("a client that waits to send its body is answered at once, and the connection closed", "[connection]") {
  auto connection = server().connect();
  auto const got = connection.ask(request("POST", "/healthz", "Expect: 100-continue\r\nContent-Length: 5\r\n"));
  CHECK(got.status == 501);
  CHECK(got["Connection"] == "close");
  connection.finish_sending();
  CHECK(connection.read_to_end().empty());
}

TEST_CASE("a request with a transfer coding ends its connection, and nothing behind it is read", "[connection]") {
  for (std::string const coding : {"chunked", "identity", "gzip, chunked", "xchunked", "\tchunked"}) {
    CAPTURE(coding);
    auto connection = server().connect();
    connection.send(request("POST", "/healthz", "Transfer-Encoding: " + coding + "\r\n") + "0\r\n\r\n" + health);
    CHECK(connection.read_answer().status == 501);
    connection.finish_sending();
    CHECK(connection.read_to_end().empty());
  }
}

TEST_CASE("a client that has finished sending still gets its answers", "[connection]") {
  auto connection = server().connect();
  connection.send(health + health);
  connection.finish_sending();
  CHECK(connection.read_answer().status == 200);
  CHECK(connection.read_answer().status == 200);
  CHECK(connection.read_to_end().empty());
}

TEST_CASE("a Unix domain socket serves as well, and its file is gone with the server", "[connection]") {
  auto& one = service(StoreKind::sqlite);
  auto const path = (one.store.directory() / "deployd.sock").string();
  RunningDeployd both(one.store.url(), {"--listen", "unix:" + path});
  CHECK(HttpConnection(path).ask(health).status == 200);
  CHECK(both.ask(health).status == 200);
  both.process().signal(15);
  CHECK(both.process().wait().status == 0);
  CHECK_FALSE(std::filesystem::exists(path));
}
