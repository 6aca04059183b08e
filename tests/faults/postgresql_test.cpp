// PostgreSQL crashes, hangs, and comes back. Clients throw their token away on a 401, so these faults must never be
// one.
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <csignal>
#include <string>

#include "tests/faults/large_list.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

/// A target that no answer is kept for.
std::string fresh_target() {
  static int count = 0;
  return "/api/v1/deployments?name=API&id[$gt]=-" + std::to_string(++count);
}

void expect_unavailable(HttpAnswer const& got) {
  CHECK(got.status == 503);
  CHECK(got.has("Retry-After"));
  CHECK(got.body.starts_with(R"({"name":"Unavailable","message":"The store is )"));
  CHECK(got.body.ends_with(R"(","code":503,"className":"unavailable"})"));
}

}  // namespace

TEST_CASE("while PostgreSQL is down everything is a 503 and nothing a 401, and it is back by itself") {
  FilledStore const store(StoreKind::postgresql);
  auto const api_token = bearer(store.create_token());
  auto const unknown_token = bearer("dpd_" + std::string(43, 'A'));
  RunningDeployd const server(store.url(), {"--store-timeout", "2s", "--workers", "2"});
  CHECK(server.ask(request("GET", fresh_target(), api_token)).status == 200);
  CHECK(server.ask(request("GET", "/readyz")).status == 200);

  postgresql().crash();
  for (int i = 0; i < 20; ++i) expect_unavailable(server.ask(request("GET", fresh_target(), api_token)));
  expect_unavailable(server.ask(request("GET", "/api/v1/deployments/1", unknown_token)));
  // What the store last said is good for a tenth of a second.
  HttpAnswer readiness;
  CHECK(eventually(1s, [&] {
    readiness = server.ask(request("GET", "/readyz"));
    return readiness.status == 503;
  }));
  expect_unavailable(readiness);
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
  CHECK(server.ask(request("GET", "/api/v1/deployments")).status == 401);
  CHECK(server.ask(request("OPTIONS", "/api/v1/deployments")).status == 204);
  CHECK(eventually(5s, [&] { return server.ask(request("GET", "/api/v1/deployments/1", api_token)).status == 503; }));

  postgresql().start();
  CHECK(eventually(30s, [&] { return server.ask(request("GET", fresh_target(), api_token)).status == 200; }));
  CHECK(eventually(30s, [&] { return server.ask(request("GET", "/readyz")).status == 200; }));
  store.import(R"({"patterns":[],"deployments":[{"id":1,"pattern_id":1,"name":"after the crash"}]})");
  CHECK(eventually(1s, [&] {
    return server.ask(request("GET", "/api/v1/deployments/1", api_token)).body.find("after the crash") !=
           std::string::npos;
  }));
}

TEST_CASE("each time PostgreSQL goes the log says why at once, and each time it comes back") {
  FilledStore const store(StoreKind::postgresql);
  auto const api_token = bearer(store.create_token());
  RunningDeployd server(store.url(), {"--store-timeout", "2s", "--workers", "2"});
  for (int time = 0; time < 2; ++time) {
    postgresql().crash();
    CHECK(eventually(10s, [&] { return server.ask(request("GET", fresh_target(), api_token)).status == 503; }));
    postgresql().start();
    REQUIRE(eventually(30s, [&] { return server.ask(request("GET", fresh_target(), api_token)).status == 200; }));
  }
  server.process().signal(SIGTERM);
  auto const log = server.process().wait().err;
  CAPTURE(log);
  for (std::size_t at = 0, time = 0; time < 2; ++time) {
    auto const gone = log.find("the store is not available: postgresql://postgres@127.0.0.1", at);
    REQUIRE(gone != std::string::npos);
    CHECK(log.substr(gone, log.find('\n', gone) - gone).find("refused") != std::string::npos);
    at = log.find("the store is available again", gone);
    REQUIRE(at != std::string::npos);
  }
}

TEST_CASE("while PostgreSQL hangs, requests are a 503 within the store timeout, and nothing else hangs") {
  FilledStore const store(StoreKind::postgresql);
  auto const api_token = bearer(store.create_token());
  RunningDeployd const server(store.url(), {"--store-timeout", "1s", "--store-sessions", "2", "--workers", "1"});
  CHECK(server.ask(request("GET", fresh_target(), api_token)).status == 200);

  postgresql().freeze();
  std::vector<HttpConnection> waiting;
  auto const start = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(server.connect());
    waiting.back().send(request("GET", fresh_target(), api_token));
  }
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
  CHECK(std::chrono::steady_clock::now() - start < 900ms);
  for (auto& connection : waiting) expect_unavailable(connection.read_answer());
  CHECK(std::chrono::steady_clock::now() - start < 5s);

  postgresql().thaw();
  CHECK(eventually(30s, [&] { return server.ask(request("GET", fresh_target(), api_token)).status == 200; }));
}

TEST_CASE("a stream that PostgreSQL does not finish is cut without its last chunk") {
  FilledStore const store(StoreKind::postgresql, large_list());
  auto const line = bearer(store.create_token());
  RunningDeployd const server(store.url());
  HttpConnection slow(server.port(), 4096);
  slow.send(request("GET", "/api/v1/deployments", line));
  slow.skip(1000);
  postgresql().crash();
  CHECK_FALSE(slow.read_to_end().ends_with("\r\n0\r\n\r\n"));
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
  postgresql().start();
  CHECK(eventually(30s, [&] { return server.ask(request("GET", "/readyz")).status == 200; }));
}
