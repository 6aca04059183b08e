// Three deployd over one PostgreSQL, behind HAProxy with the sample configuration of packaging/haproxy.
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/cluster/cluster.hpp"
#include "tests/failover/checked_readers.hpp"
#include "tests/failover/counter_writer.hpp"
#include "tests/integration/tls_server.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

void expect_flawless(ReadTally const& tally) {
  CAPTURE(tally.first_fault);
  CHECK(tally.answered > 100);
  CHECK(tally.unavailable == 0);
  CHECK(tally.flawless());
}

}  // namespace

TEST_CASE("three servers are restarted one by one, and one is killed, and no client notices") {
  Cluster cluster;
  CounterHistory history;
  CounterWriter const writer(cluster.database(), history);
  CheckedReaders readers(cluster.port(), cluster.token(), history);
  for (std::size_t server = 0; server < Cluster::size; ++server) cluster.restart(server);
  expect_flawless(readers.take());
  cluster.kill(1);
  CHECK(eventually(10s, [&] { return !cluster.haproxy().up(1); }));
  cluster.start(1);
  cluster.wait_until_up(1);
  expect_flawless(readers.stop());
}

TEST_CASE("a change is seen on every server within a second") {
  Cluster const cluster;
  for (int i = 0; i < 5; ++i) CHECK(cluster.time_until_seen_by_all("change " + std::to_string(i)) < 1s);
}

TEST_CASE("without a server that is ready, HAProxy answers as the API does, and others may ask it for nothing else") {
  Cluster cluster;
  auto const ask = [&](std::string const& method) {
    return HttpConnection(cluster.port()).ask(request(method, "/api/v1/deployments/2", bearer(cluster.token())));
  };
  CHECK(ask("GET").body == R"({"id":2,"pattern_id":1,"name":"first"})");
  CHECK(ask("POST").status == 501);
  for (std::size_t server = 0; server < Cluster::size; ++server) cluster.kill(server);
  CHECK(eventually(10s,
                   [&] { return !cluster.haproxy().up(0) && !cluster.haproxy().up(1) && !cluster.haproxy().up(2); }));
  auto const answer = ask("GET");
  CHECK(answer.status == 503);
  CHECK(answer.has("Retry-After"));
  CHECK(answer.body == error_json("Unavailable", "No server is ready", 503, "unavailable"));
}

TEST_CASE("with the sample's line for it HAProxy speaks HTTPS to deployd, and trusts its authority and name alone") {
  FilledStore const store(StoreKind::sqlite);
  TlsServer const server(store.url());
  std::vector<std::uint16_t> const ports(Cluster::size, server.running.port());
  auto const get = request("GET", "/api/v1/deployments/1", bearer(store.create_token()));

  Haproxy const trusting(ports, Haproxy::Tls{server.files.authority.certificate(), "localhost"});
  CHECK(eventually(10s, [&] { return trusting.up(0) && trusting.up(1) && trusting.up(2); }));
  CHECK(HttpConnection(trusting.port()).ask(get).status == 200);

  for (auto const& other : {Haproxy::Tls{CertificateAuthority().certificate(), "localhost"},
                            Haproxy::Tls{server.files.authority.certificate(), "another.example"}}) {
    CAPTURE(other.name);
    Haproxy const refusing(ports, other);
    CHECK(eventually(10s, [&] { return !refusing.up(0) && !refusing.up(1) && !refusing.up(2); }));
    CHECK(HttpConnection(refusing.port()).ask(get).status == 503);
  }
}
