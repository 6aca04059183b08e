// Clients that read long lists slowly: what they hold is theirs, and others go on.
#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "tests/faults/large_list.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

/// The only id of a page of one row; 0 when it is none.
std::int64_t only_id(HttpAnswer const& answer) {
  if (answer.status != 200) return 0;
  auto const list = boost::json::parse(answer.body).as_array();
  return list.size() == 1 ? list.front().at("id").as_int64() : 0;
}

}  // namespace

TEST_CASE("slow readers of one token hold half of the places for long lists, and short lists need none") {
  for (auto const kind : {StoreKind::sqlite, StoreKind::postgresql}) {
    CAPTURE(kind);
    FilledStore const store(kind, large_list());
    auto const theirs = bearer(store.create_token());
    auto const ours = bearer(store.create_token());
    RunningDeployd const server(store.url(), {"--workers", "1", "--cache-bytes", "0"});

    std::vector<HttpConnection> slow;
    for (int i = 0; i < 12; ++i) {
      slow.emplace_back(server.port());
      slow.back().send(request("GET", "/api/v1/deployments", theirs));
    }
    auto const answered = [&] {
      std::size_t count = 0;
      for (auto& connection : slow) count += connection.has_bytes_within(1ms) ? 1U : 0U;
      return count;
    };
    CHECK(eventually(30s, [&] { return answered() >= 2; }));

    for (auto const& line : {ours, theirs}) {
      auto const ask = [&](std::string const& query) {
        return server.ask(request("GET", "/api/v1/deployments?" + query, line));
      };
      CHECK(only_id(ask("$limit=1&$skip=1001")) == 1002);
      CHECK(only_id(ask("$limit=1&$skip=15000")) == 15'001);
      CHECK(only_id(ask("$limit=1&id[$gt]=15000")) == 15'001);
      // Fewer than so many rows are a page, also when they are more bytes than are read at once.
      auto const page = ask("$limit=800&$skip=15000");
      CHECK(page.status == 200);
      CHECK(page["Link"] == "</api/v1/deployments?$limit=800&id%5B$gt%5D=15800>; rel=\"next\"");
      CHECK(boost::json::parse(page.body).as_array().size() == 800);
    }
    auto const whole = server.ask(request("GET", "/api/v1/deployments", ours));
    CHECK(whole.status == 200);
    CHECK(whole.chunked);
    CHECK(whole.body.size() > 16'000'000);

    // The others had no place in --store-timeout.
    CHECK(eventually(30s, [&] { return answered() == 12; }));
    std::size_t refused = 0;
    for (auto& connection : slow) {
      connection.finish_sending();
      auto const answer = connection.read_to_end();
      if (!answer.starts_with("HTTP/1.1 503 ")) continue;
      ++refused;
      CHECK(answer.find("\r\nRetry-After: ") != std::string::npos);
    }
    CHECK(refused == 10);
  }
}

TEST_CASE("a page of more bytes than an answer may have at once is streamed") {
  LargeStore const store;
  RunningDeployd const server(store.url(), {"--workers", "1"});
  auto const page = server.ask(request("GET", "/api/v1/deployments?$limit=2000&$skip=9000", store.line));
  CHECK(page.status == 200);
  CHECK(page.chunked);
  CHECK(page["Link"] == "</api/v1/deployments?$limit=2000&id%5B$gt%5D=11000>; rel=\"next\"");
  auto const rows = boost::json::parse(page.body).as_array();
  CHECK(rows.size() == 2000);
  CHECK(rows.front().at("id").as_int64() == 9001);
}
