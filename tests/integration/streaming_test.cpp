// CONTRACT: large lists are streamed.
#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>

#include <string>

#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;

namespace {

constexpr int rows = 60'000;

/// Some megabytes as JSON.
std::string large_data() {
  std::string text = R"({"patterns":[{"id":1,"name":"LARGE"}],"deployments":[)";
  for (int i = 1; i <= rows; ++i) {
    if (i > 1) text += ',';
    text +=
        R"({"id":)" + std::to_string(i) + R"(,"pattern_id":1,"name":"deployment number )" + std::to_string(i) + "\"}";
  }
  return text + "]}";
}

struct Large {
  explicit Large(StoreKind kind) : store(kind, large_data()), line(bearer(store.create_token())), server(store.url()) {}
  FilledStore store;
  std::string line;
  RunningDeployd server;
};

Large& large(StoreKind kind) {
  if (kind == StoreKind::sqlite) {
    static Large sqlite(StoreKind::sqlite);
    return sqlite;
  }
  static Large postgresql(StoreKind::postgresql);
  return postgresql;
}

void expect_all_rows(std::string const& body) {
  auto const parsed = boost::json::parse(body);
  auto const& list = parsed.as_array();
  REQUIRE(list.size() == rows);
  for (int i = 0; i < rows; ++i) REQUIRE(list[static_cast<std::size_t>(i)].at("id") == i + 1);
}

}  // namespace

TEST_CASE("a large list is chunked, without ETag and length, and the connection goes on", "[streaming]") {
  with_each_store([](Service& shared) {
    CAPTURE(shared.store.kind());
    auto& one = large(shared.store.kind());
    auto connection = one.server.connect();
    auto const got = connection.ask(request("GET", "/api/v1/deployments?pattern=LARGE", one.line));
    CHECK(got.status == 200);
    CHECK(got.chunked);
    CHECK(got["Content-Type"] == "application/json; charset=utf-8");
    CHECK_FALSE(got.has("ETag"));
    CHECK_FALSE(got.has("Content-Length"));
    CHECK_FALSE(got.has("Connection"));
    expect_all_rows(got.body);
    auto const again = connection.ask(request("GET", "/api/v1/deployments", one.line));
    CHECK(again.body == got.body);
    CHECK(connection.ask(request("GET", "/healthz")).status == 200);
  });
}

TEST_CASE("to HTTP/1.0 a large list ends with the connection", "[streaming]") {
  with_each_store([](Service& shared) {
    CAPTURE(shared.store.kind());
    auto& one = large(shared.store.kind());
    auto connection = one.server.connect();
    connection.send("GET /api/v1/deployments HTTP/1.0\r\nConnection: keep-alive\r\n" + one.line + "\r\n");
    auto const got = connection.read_answer();
    CHECK(got.status == 200);
    CHECK_FALSE(got.chunked);
    CHECK_FALSE(got.has("Content-Length"));
    CHECK_FALSE(got.has("ETag"));
    CHECK(got["Connection"] == "close");
    CHECK_FALSE(connection.reset());
    expect_all_rows(got.body);
  });
}

TEST_CASE("HEAD of a large list has its fields and no body", "[streaming]") {
  auto& one = large(StoreKind::sqlite);
  auto connection = one.server.connect();
  auto const got = connection.ask(request("HEAD", "/api/v1/deployments", one.line));
  CHECK(got.status == 200);
  CHECK(got.chunked);
  CHECK(connection.ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("a large list read slowly is one snapshot, and later requests see what was written meanwhile",
          "[streaming]") {
  FilledStore const store(StoreKind::sqlite, large_data());
  auto const line = bearer(store.create_token());
  RunningDeployd const server(store.url());
  HttpConnection slow(server.port(), 4096);
  slow.send(request("GET", "/api/v1/deployments", line));
  auto const status_line = std::string("HTTP/1.1 200 OK\r\n");
  slow.skip(status_line.size());
  store.import(R"({"patterns":[],"deployments":[{"id":)" + std::to_string(rows) +
               R"(,"pattern_id":1,"name":"changed"},{"id":)" + std::to_string(rows + 1) +
               R"(,"pattern_id":1,"name":"new"}]})");
  CHECK(server.ask(request("GET", "/api/v1/deployments/" + std::to_string(rows + 1), line)).status == 200);
  CHECK(server.ask(request("GET", "/api/v1/deployments/" + std::to_string(rows), line)).body.find("changed") !=
        std::string::npos);
  slow.finish_sending();
  auto const rest = slow.read_to_end();
  CHECK(rest.ends_with("\r\n0\r\n\r\n"));
  CHECK(rest.find("deployment number " + std::to_string(rows)) != std::string::npos);
  CHECK(rest.find("changed") == std::string::npos);
  CHECK(rest.find("\"new\"") == std::string::npos);
}

TEST_CASE("a large page has its Link, and small pages of a large list are whole", "[streaming]") {
  with_each_store([](Service& shared) {
    CAPTURE(shared.store.kind());
    auto& one = large(shared.store.kind());
    auto connection = one.server.connect();
    auto const big = connection.ask(request("GET", "/api/v1/deployments?$limit=50000", one.line));
    CHECK(big.chunked);
    CHECK(big["Link"] == "</api/v1/deployments?$limit=50000&id%5B$gt%5D=50000>; rel=\"next\"");
    auto const rest = connection.ask(request("GET", "/api/v1/deployments?$limit=50000&id%5B$gt%5D=50000", one.line));
    CHECK_FALSE(rest.has("Link"));
    CHECK(boost::json::parse(rest.body).as_array().size() == rows - 50'000);
    auto const small = connection.ask(request("GET", "/api/v1/deployments?$limit=2&$skip=59000", one.line));
    CHECK(small.has("ETag"));
    CHECK(small["Link"] == "</api/v1/deployments?$limit=2&id%5B$gt%5D=59002>; rel=\"next\"");
    CHECK(connection.ask(request("GET", "/api/v1/deployments?$skip=60000", one.line)).body == "[]");
  });
}

TEST_CASE("a client that goes away in the middle of a large list does no harm", "[streaming]") {
  with_each_store([](Service& shared) {
    CAPTURE(shared.store.kind());
    auto& one = large(shared.store.kind());
    for (int i = 0; i < 20; ++i) {
      auto connection = one.server.connect();
      connection.send(request("GET", "/api/v1/deployments", one.line));
      connection.skip(1000);
    }
    CHECK(one.server.ask(request("GET", "/api/v1/deployments", one.line)).body.size() > 1'000'000);
    CHECK(one.server.ask(request("GET", "/readyz")).status == 200);
  });
}
