// CONTRACT: answers reflect every write committed before the request (SQLite), or within one second (PostgreSQL).
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>

#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

std::string renamed(int round) {
  return R"({"patterns":[],"deployments":[{"id":1,"pattern_id":1,"name":"round )" + std::to_string(round) + "\"}]}";
}

}  // namespace

TEST_CASE("what is imported into SQLite is in the very next answer, on every worker, kept or not", "[freshness]") {
  FilledStore const store(StoreKind::sqlite);
  auto const line = bearer(store.create_token());
  for (std::string const cache : {"64MiB", "0"}) {
    RunningDeployd const server(store.url(), {"--workers", "2", "--cache-bytes", cache});
    std::vector<HttpConnection> connections;
    for (int i = 0; i < 8; ++i) connections.push_back(server.connect());
    for (int round = 0; round < 5; ++round) {
      store.import(renamed(round));
      auto const want = R"({"id":1,"pattern_id":1,"name":"round )" + std::to_string(round) + "\"}";
      for (auto& connection : connections) {
        CAPTURE(cache, round);
        for (int again = 0; again < 2; ++again) {
          CHECK(connection.ask(request("GET", "/api/v1/deployments/1", line)).body == want);
          CHECK(connection.ask(request("GET", "/api/v1/deployments?name=API", line)).body ==
                R"([{"id":3,"pattern_id":2,"name":"API"}])");
        }
      }
    }
  }
}

TEST_CASE("what another session commits is in the answers within a second", "[freshness]") {
  with_each_store([](Service& shared) {
    CAPTURE(shared.store.kind());
    FilledStore const store(shared.store.kind());
    auto const line = bearer(store.create_token());
    RunningDeployd const server(store.url());
    auto connection = server.connect();
    for (int round = 0; round < 3; ++round) {
      CAPTURE(round);
      auto const before = connection.ask(request("GET", "/api/v1/deployments/1", line)).body;
      store.import(renamed(round));
      auto const committed = std::chrono::steady_clock::now();
      auto const want = R"({"id":1,"pattern_id":1,"name":"round )" + std::to_string(round) + "\"}";
      CHECK(want != before);
      CHECK(eventually(5s, [&] { return connection.ask(request("GET", "/api/v1/deployments/1", line)).body == want; }));
      CHECK(std::chrono::steady_clock::now() - committed < 1s);
    }
  });
}

TEST_CASE("an entity tag changes with what it stands for, and comes back with it", "[freshness]") {
  FilledStore const store(StoreKind::sqlite);
  auto const line = bearer(store.create_token());
  RunningDeployd const server(store.url());
  auto const tag = [&] { return server.ask(request("GET", "/api/v1/deployments/1", line))["ETag"]; };
  store.import(renamed(1));
  auto const first = tag();
  store.import(renamed(2));
  auto const second = tag();
  CHECK(second != first);
  CHECK(server.ask(request("GET", "/api/v1/deployments/1", line + "If-None-Match: " + first + "\r\n")).status == 200);
  store.import(renamed(1));
  CHECK(tag() == first);
}
