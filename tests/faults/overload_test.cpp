// More requests than can be answered.
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "tests/integration/admin_listener.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

/// A pattern with so many rows that its list costs much more than a refusal, and is read at once nevertheless.
std::string costly_list() {
  std::string text = R"({"patterns":[{"id":1,"name":"COSTLY"}],"deployments":[)";
  for (int i = 1; i <= 2000; ++i)
    text += (i > 1 ? "," : "") + (R"({"id":)" + std::to_string(i) + R"(,"pattern_id":1,"name":"n"})");
  return text + "]}";
}

/// Clients each of which asks again as soon as it has its answer.
class Crowd {
 public:
  Crowd(RunningDeployd const& server, std::string question, std::size_t clients) : question_(std::move(question)) {
    for (std::size_t i = 0; i < clients; ++i) {
      connections_.push_back(server.connect());
      connections_.back().send(question_);
    }
  }

  /// The next answer of each of them, in turn.
  HttpAnswer next() {
    auto& connection = connections_[at_++ % connections_.size()];
    auto answer = connection.read_answer();
    connection.send(question_);
    return answer;
  }

  /// Asks no more; the last answer of each.
  std::vector<HttpAnswer> finish() {
    std::vector<HttpAnswer> answers;
    for (auto& connection : connections_) answers.push_back(connection.read_answer());
    return answers;
  }

  /// Goes on until an answer has this status; what it was.
  HttpAnswer until(unsigned status) {
    auto const deadline = std::chrono::steady_clock::now() + 60s;
    while (true) {
      auto answer = next();
      if (answer.status == status || std::chrono::steady_clock::now() > deadline) return answer;
    }
  }

 private:
  std::string question_;
  std::vector<HttpConnection> connections_;
  std::size_t at_ = 0;
};

/// True if all requests are answered in time again.
bool recovers(RunningDeployd const& server, std::string const& question) {
  return eventually(30s, [&] {
    for (int i = 0; i < 20; ++i)
      if (server.ask(question).status != 200) return false;
    return true;
  });
}

}  // namespace

TEST_CASE("a loop with too much to do answers 503 at once, still answers some, and all again when there is less") {
  FilledStore const store(StoreKind::sqlite, costly_list());
  auto const line = bearer(store.create_token());
  RunningDeployd server(store.url(), {"--workers", "1", "--cache-bytes", "0"});
  auto const question = request("GET", "/api/v1/deployments?pattern=COSTLY", line);
  {
    Crowd crowd(server, question, 300);
    auto const refused = crowd.until(503);
    CHECK(refused.status == 503);
    CHECK(refused["Retry-After"] == "1");
    CHECK(refused.body == error_json("Unavailable", "The server is overloaded", 503, "unavailable"));
    CHECK(crowd.until(200).status == 200);
    CHECK(server.ask(request("GET", "/healthz")).status == 200);
    CHECK(server.ask(request("GET", "/api/v1/deployments/1")).status == 401);
    CHECK(server.ask(request("OPTIONS", "/api/v1/deployments", line)).status == 204);
    CHECK(crowd.finish().size() == 300);
  }
  server.process().wait_for_line("an event loop is overloaded");
  CHECK(recovers(server, question));
}

TEST_CASE("what is refused in overload is counted under the route that it was for") {
  FilledStore const store(StoreKind::sqlite, costly_list());
  RunningDeployd server(store.url(), {"--workers", "1", "--cache-bytes", "0", "--admin-listen", "127.0.0.1:0"});
  {
    Crowd crowd(server, request("GET", "/api/v1/deployments?pattern=COSTLY", bearer(store.create_token())), 300);
    CHECK(crowd.until(503).status == 503);
    crowd.finish();
  }
  CHECK(eventually(5s, [&] {
    auto const metrics = Metrics::of(admin_port(server));
    auto const refused = metrics["deployd_http_shed_total"];
    return refused > 0 &&
           metrics[R"(deployd_http_requests_total{route="/api/v1/deployments",method="GET",status="503"})"] == refused;
  }));
}

TEST_CASE("PostgreSQL with too much to do is not waited for: some are answered, the others 503 at once") {
  FilledStore const store(StoreKind::postgresql, costly_list());
  RunningDeployd const server(store.url(), {"--workers", "1", "--cache-bytes", "0"});
  auto const question = request("GET", "/api/v1/deployments?pattern=COSTLY", bearer(store.create_token()));
  {
    Crowd crowd(server, question, 300);
    auto const refused = crowd.until(503);
    CHECK(refused.status == 503);
    CHECK(refused["Retry-After"] == "1");
    CHECK(refused.body.find(R"("name":"Unavailable")") != std::string::npos);
    CHECK(crowd.until(200).status == 200);
    crowd.finish();
  }
  CHECK(recovers(server, question));
}

TEST_CASE("64 clients that ask without a pause are all answered, however long it takes") {
  FilledStore const store(StoreKind::sqlite, costly_list());
  RunningDeployd const server(store.url(), {"--workers", "1", "--cache-bytes", "0"});
  Crowd crowd(server, request("GET", "/api/v1/deployments?pattern=COSTLY", bearer(store.create_token())), 64);
  for (int i = 0; i < 1500; ++i) REQUIRE(crowd.next().status == 200);
}

TEST_CASE("what is kept is answered in overload too") {
  FilledStore const store(StoreKind::sqlite, costly_list());
  auto const line = bearer(store.create_token());
  RunningDeployd const server(store.url(), {"--workers", "1", "--cache-bytes", "64KiB"});
  auto const kept = request("GET", "/api/v1/deployments/1", line);
  CHECK(server.ask(kept).status == 200);
  Crowd crowd(server, request("GET", "/api/v1/deployments?pattern=COSTLY", line), 300);
  CHECK(crowd.until(503).status == 503);
  for (int i = 0; i < 50; ++i) CHECK(server.ask(kept).status == 200);
}
