// A pgbouncer stands before PostgreSQL.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "tests/integration/admin_listener.hpp"
#include "tests/integration/running_deployd.hpp"
#include "tests/pgbouncer.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

/// More sessions than pgbouncer has of the server, so that they change hands.
std::vector<std::string> const options{"--store-sessions", "6", "--workers", "2", "--admin-listen", "127.0.0.1:0"};

std::string page_after(int id) {
  return "/api/v1/deployments?$limit=2&id[$gt]=" + std::to_string(id);
}

/// Asks what no answer is kept for, by many at once.
void expect_answers(RunningDeployd const& server, std::string const& line) {
  std::vector<HttpConnection> clients;
  for (int i = 0; i < 24; ++i) clients.push_back(server.connect());
  for (int round = 0; round < 10; ++round) {
    int client = 0;
    for (auto& connection : clients) connection.send(request("GET", page_after(-(round * 24 + client++)), line));
    for (auto& connection : clients) {
      auto const answer = connection.read_answer();
      CHECK(answer.status == 200);
      CHECK(answer.body == R"([{"id":1,"pattern_id":1,"name":"API"},{"id":2,"pattern_id":1,"name":"Database"}])");
    }
  }
}

bool changes_are_told(RunningDeployd& server) {
  return Metrics::of(admin_port(server)).has(R"(deployd_store_info{backend="postgresql",change_feed="listen"})");
}

void expect_change_within_a_second(RunningDeployd const& server, FilledStore const& store, std::string const& line,
                                   std::string const& name) {
  auto const get = request("GET", "/api/v1/deployments/1", line);
  CHECK(server.ask(get).status == 200);
  store.import(R"({"patterns":[],"deployments":[{"id":1,"pattern_id":1,"name":")" + name + R"("}]})");
  auto const written = std::chrono::steady_clock::now();
  CHECK(eventually(5s, [&] { return server.ask(get).body.find(name) != std::string::npos; }));
  CHECK(std::chrono::steady_clock::now() - written < 1s);
}

std::string large_list() {
  std::string data = R"({"patterns":[{"id":1,"name":"P"}],"deployments":[)";
  for (int id = 1; id <= 40'000; ++id)
    data += (id == 1 ? "" : ",") + (R"({"id":)" + std::to_string(id)) +
            R"(,"pattern_id":1,"name":"a name that makes the list long"})";
  return data + "]}";
}

}  // namespace

TEST_CASE("behind pgbouncer in either mode all is answered, fresh within a second, and the log says so", "[pooler]") {
  auto const mode = GENERATE(as<std::string>(), "session", "transaction");
  CAPTURE(mode);
  FilledStore const store(StoreKind::postgresql);
  // In session mode each session of deployd has one of the server's for itself.
  Pgbouncer pgbouncer(postgresql(), mode, mode == "session" ? 20 : 2);
  auto const line = bearer(store.create_token());
  RunningDeployd server(pgbouncer.url(store.url()), options);
  CHECK(server.process().err().find("a pooler stands before PostgreSQL") != std::string::npos);
  CHECK_FALSE(changes_are_told(server));
  CHECK(server.ask(request("GET", "/readyz")).status == 200);
  expect_answers(server, line);
  expect_change_within_a_second(server, store, line, "changed");
}

TEST_CASE("behind pgbouncer that pools sessions, ?prepare=on prepares and listens", "[pooler]") {
  FilledStore const store(StoreKind::postgresql);
  Pgbouncer pgbouncer(postgresql(), "session", 20);
  auto const line = bearer(store.create_token());
  RunningDeployd server(pgbouncer.url(store.url()) + "?prepare=on", options);
  CHECK(server.process().err().find("pooler") == std::string::npos);
  CHECK(changes_are_told(server));
  expect_answers(server, line);
  expect_change_within_a_second(server, store, line, "told");
}

TEST_CASE("without a pooler statements are prepared and changes told, unless ?prepare=off", "[pooler]") {
  FilledStore const store(StoreKind::postgresql);
  RunningDeployd plain(store.url(), options);
  CHECK(plain.process().err().find("pooler") == std::string::npos);
  CHECK(changes_are_told(plain));
  RunningDeployd off(store.url() + "?prepare=off", options);
  CHECK_FALSE(changes_are_told(off));
}

TEST_CASE("a list is streamed whole through pgbouncer in transaction mode, beside others", "[pooler]") {
  FilledStore const store(StoreKind::postgresql, large_list());
  Pgbouncer pgbouncer(postgresql(), "transaction");
  auto const line = bearer(store.create_token());
  RunningDeployd const direct(store.url());
  RunningDeployd const server(pgbouncer.url(store.url()));
  auto const whole = direct.ask(request("GET", "/api/v1/deployments", line)).body;
  HttpConnection first(server.port());
  HttpConnection second(server.port());
  first.send(request("GET", "/api/v1/deployments", line));
  second.send(request("GET", "/api/v1/deployments", line));
  bool const same = first.read_answer().body == whole && second.read_answer().body == whole;
  CHECK(same);
}

TEST_CASE("every command works through pgbouncer in transaction mode", "[pooler]") {
  Pgbouncer pgbouncer(postgresql(), "transaction");
  auto const url = pgbouncer.url(postgresql().create_database());
  auto const status_of = [&](std::vector<std::string> arguments, std::string const& input = {}) {
    arguments.insert(arguments.end(), {"--database", url});
    auto const outcome = run_deployd(arguments, {}, input);
    CAPTURE(arguments.front(), outcome.err);
    CHECK(outcome.status == 0);
    return outcome.out;
  };
  for (int round = 0; round < 3; ++round) {
    status_of({"migrate"});
    status_of({"check"});
    status_of({"import", "-"}, sample_data);
    status_of({"token", "create", "--name", "x"});
    CHECK(status_of({"token", "list"}).find("  x\n") != std::string::npos);
    status_of({"token", "revoke", std::to_string(round + 1)});
    CHECK(status_of({"export", "--format", "ndjson"}).find(R"("name":"last")") != std::string::npos);
  }
}

TEST_CASE("when pgbouncer goes away requests are a 503, and answered again when it is back", "[pooler]") {
  FilledStore const store(StoreKind::postgresql);
  Pgbouncer pgbouncer(postgresql(), "transaction");
  auto const line = bearer(store.create_token());
  RunningDeployd const server(pgbouncer.url(store.url()), {"--store-timeout", "2s", "--cache-bytes", "0"});
  auto const get = request("GET", "/api/v1/deployments/1", line);
  CHECK(server.ask(get).status == 200);
  pgbouncer.crash();
  CHECK(server.ask(get).status == 503);
  CHECK(server.ask(request("GET", "/readyz")).status == 503);
  pgbouncer.start();
  CHECK(eventually(10s, [&] { return server.ask(get).status == 200; }));
  CHECK(eventually(10s, [&] { return server.ask(request("GET", "/readyz")).status == 200; }));
}
