// Clients that do not read: the server's memory stays within what docs/operations.md says.
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/faults/large_list.hpp"
#include "tests/scale/memory_watch.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;

// What allocators and page caches make of it, whatever the clients are.
constexpr std::uint64_t slack = 8 * mib;

// A connection, with the head that it is reading.
constexpr std::uint64_t each_connection = 32 * kib;

// 10,000 rows, some 600 KiB: short enough to be kept, and long enough to be sent from where it is kept.
std::string kept_list() {
  std::string text = R"({"patterns":[{"id":1,"name":"KEPT"}],"deployments":[)";
  for (int i = 1; i <= 10'000; ++i)
    text += (i > 1 ? "," : "") +
            (R"({"id":)" + std::to_string(i) + R"(,"pattern_id":1,"name":"deployment to some place"})");
  return text + "]}";
}

/// Clients that ask and do not read.
class Silent {
 public:
  Silent(RunningDeployd const& server, std::string const& question, std::size_t clients) {
    for (std::size_t i = 0; i < clients; ++i) {
      connections_.emplace_back(server.port(), 4096);
      connections_.back().send(question);
    }
  }

  /// Waits until so many of them could read something.
  void await_answers(std::size_t wanted) {
    CHECK(eventually(60s, [&] {
      std::size_t answered = 0;
      for (auto& connection : connections_) answered += connection.has_bytes_within(1ms) ? 1U : 0U;
      return answered >= wanted;
    }));
  }

 private:
  std::vector<HttpConnection> connections_;
};

}  // namespace

TEST_CASE("clients that do not read a list that is kept have it in memory once") {
  FilledStore const store(StoreKind::sqlite, kept_list());
  auto const question = request("GET", "/api/v1/deployments?pattern=KEPT", bearer(store.create_token()));
  RunningDeployd server(store.url(), {"--workers", "1"});
  CHECK(server.ask(question).status == 200);
  auto const before = resident_bytes(server.process().pid());
  Silent clients(server, question, 300);
  clients.await_answers(300);
  CHECK(resident_bytes(server.process().pid()) - before <= 300 * each_connection + slack);
}

TEST_CASE("clients that do not read a list that is not kept have one each, and no more") {
  FilledStore const store(StoreKind::sqlite, kept_list());
  auto const question = request("GET", "/api/v1/deployments?pattern=KEPT", bearer(store.create_token()));
  RunningDeployd server(store.url(), {"--workers", "1", "--cache-bytes", "0"});
  auto const list = server.ask(question).body.size();
  auto const before = resident_bytes(server.process().pid());
  Silent clients(server, question, 64);
  clients.await_answers(64);
  CHECK(resident_bytes(server.process().pid()) - before <= 64 * (list + list / 4 + each_connection) + slack);
}

TEST_CASE("of clients that do not read a streamed list only those that have a place take memory for it") {
  LargeStore const store;
  RunningDeployd server(store.url(), {"--workers", "2"});
  CHECK(server.ask(request("GET", "/api/v1/deployments/1", store.line)).status == 200);
  auto const before = resident_bytes(server.process().pid());
  Silent clients(server, request("GET", "/api/v1/deployments", store.line), 200);
  clients.await_answers(4);
  constexpr std::uint64_t places = 2 * 4;
  CHECK(resident_bytes(server.process().pid()) - before <= places * 5 * mib + 200 * each_connection + slack);
}

TEST_CASE("requests sent ahead whose lines in the access log are long leave the memory within its bounds") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd server(store.url(), {"--workers", "1", "--access-log", "json"});
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
  auto const before = resident_bytes(server.process().pid());
  forget_peak(server.process().pid());
  // Each byte of these targets takes two in the log.
  std::string questions;
  for (int i = 0; i < 64; ++i) questions += request("GET", '/' + std::string(8000, '"'));
  constexpr std::size_t connections = 32;
  for (int round = 0; round < 4; ++round) {
    std::vector<HttpConnection> clients;
    for (std::size_t i = 0; i < connections; ++i) {
      clients.push_back(server.connect());
      clients.back().send(questions);
    }
    for (auto& client : clients)
      for (int i = 0; i < 64; ++i) REQUIRE(client.read_answer().status == 404);
  }
  CHECK(peak_resident_bytes(server.process().pid()) - before <= connections * each_connection + slack);
}
