// TLS with clients that stall, break off or are mad, through draining and reloading.
#include <openssl/ssl.h>
#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/faults/large_list.hpp"
#include "tests/integration/tls_server.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

/// A client over TLS that has asked for the list and read no more than the beginning of its answer.
HttpConnection stalled(LargeStore const& store, TlsServer& server) {
  HttpConnection connection(server.running.port(), server.client, 4096);
  connection.send(request("GET", "/api/v1/deployments", store.line));
  connection.skip(15);
  return connection;
}

}  // namespace

TEST_CASE("a TLS handshake that does not get on is given up after the header timeout") {
  FilledStore const store(StoreKind::sqlite);
  TlsServer server(store.url(), {"--header-timeout", "300ms", "--idle-timeout", "60s"});
  for (std::string const part : {"", "\x16", "\x16\x03\x01\x02", "\x16\x03\x01\x02\x10\x01\x02\x03"}) {
    HttpConnection connection(server.running.port());
    connection.send(part);
    CHECK_FALSE(connection.has_bytes_within(150ms));
    CHECK(connection.ends_within(10s));
  }
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("a request that does not arrive in time is a 408 over TLS, be it within a record") {
  FilledStore const store(StoreKind::sqlite);
  TlsServer server(store.url(), {"--header-timeout", "300ms"});
  bool const within_record = GENERATE(false, true);
  auto connection = server.connect();
  CHECK(connection.ask(request("GET", "/healthz")).status == 200);
  if (within_record)
    connection.send_raw(connection.tls().encrypt(request("GET", "/healthz")).substr(0, 40));
  else
    connection.send("GET /healthz HT");
  auto const got = connection.read_answer();
  CHECK(got.status == 408);
  CHECK(got["Connection"] == "close");
  CHECK(got.body == error_json("Timeout", "The request did not arrive in time", 408, "timeout"));
  CHECK(connection.read_to_end().empty());
  CHECK(connection.tls().ended_in_order());
}

TEST_CASE("junk instead of TLS ends its connection and nothing else") {
  FilledStore const store(StoreKind::sqlite);
  TlsServer server(store.url(), {"--header-timeout", "200ms"});
  std::mt19937 random(7);
  std::vector<HttpConnection> connections;
  for (int i = 0; i < 200; ++i) {
    std::string junk = i % 2 == 0 ? "" : "\x16\x03\x01";
    for (auto left = 1 + random() % 3000; left > 0; --left) junk += static_cast<char>(random());
    connections.emplace_back(server.running.port());
    connections.back().send(junk);
  }
  for (auto& connection : connections) connection.read_to_end();
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("a record that was tampered with ends its connection without an answer") {
  FilledStore const store(StoreKind::sqlite);
  TlsServer server(store.url());
  auto connection = server.connect();
  CHECK(connection.ask(request("GET", "/healthz")).status == 200);
  auto record = connection.tls().encrypt(request("GET", "/healthz"));
  record[record.size() / 2] = static_cast<char>(record[record.size() / 2] ^ 1);
  connection.send_raw(record);
  CHECK(connection.read_to_end().empty());
  CHECK_FALSE(connection.tls().ended_in_order());
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("an idle TLS connection is closed in order") {
  FilledStore const store(StoreKind::sqlite);
  TlsServer server(store.url(), {"--idle-timeout", "300ms"});
  auto fresh = server.connect();
  auto used = server.connect();
  CHECK(used.ask(request("GET", "/healthz")).status == 200);
  for (auto* const connection : {&fresh, &used}) {
    CHECK(connection->ends_within(10s));
    CHECK(connection->tls().ended_in_order());
  }
}

TEST_CASE("a streamed list comes whole over TLS to a client that reads slowly, and others are served meanwhile") {
  LargeStore const store;
  TlsServer server(store.url(), {"--workers", "1"});
  server.client.only(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
  auto connection = stalled(store, server);
  for (int i = 0; i < 20; ++i) {
    connection.skip(64 * 1024);
    REQUIRE(server.ask(request("GET", "/api/v1/deployments/1", store.line)).status == 200);
  }
  connection.finish_sending();
  CHECK(connection.read_to_end().ends_with("\r\n0\r\n\r\n"));
}

TEST_CASE("a list for HTTP/1.0 ends in order where it is whole, so that one that was cut can be told from it") {
  LargeStore const store;
  TlsServer server(store.url(), {"--write-timeout", "400ms", "--access-log", "text", "--workers", "1"});
  auto const bytes = "GET /api/v1/deployments HTTP/1.0\r\n" + store.line + "\r\n";
  auto whole = server.connect();
  whole.send(bytes);
  CHECK(whole.read_to_end().ends_with("}]"));
  CHECK(whole.tls().ended_in_order());

  HttpConnection cut(server.running.port(), server.client, 4096);
  cut.send(bytes);
  server.running.process().wait_for_line("GET /api/v1/deployments");
  server.running.process().wait_for_line("GET /api/v1/deployments");
  cut.read_to_end();
  CHECK_FALSE(cut.tls().ended_in_order());
}

TEST_CASE("a TLS client that stops reading is dropped after the write timeout") {
  LargeStore const store;
  TlsServer server(store.url(), {"--write-timeout", "400ms", "--access-log", "text", "--workers", "1"});
  auto connection = stalled(store, server);
  server.running.process().wait_for_line("GET /api/v1/deployments", 10s);
  CHECK_FALSE(connection.read_to_end().ends_with("\r\n0\r\n\r\n"));
  CHECK_FALSE(connection.tls().ended_in_order());
}

TEST_CASE("SIGTERM closes idle TLS connections in order and lets the others end their answer") {
  LargeStore const store;
  TlsServer server(store.url(), {"--workers", "2"});
  auto idle = server.connect();
  CHECK(idle.ask(request("GET", "/healthz")).status == 200);
  auto stream = stalled(store, server);
  auto half_open = server.running.connect();
  half_open.send("\x16\x03\x01");
  server.running.process().signal(SIGTERM);
  CHECK(idle.ends_within(10s));
  CHECK(idle.tls().ended_in_order());
  CHECK(stream.read_to_end().ends_with("\r\n0\r\n\r\n"));
  CHECK(server.running.process().wait(20s).status == 0);
}

TEST_CASE("a request that was sent over TLS before SIGTERM is answered") {
  FilledStore const store(StoreKind::sqlite);
  TlsServer server(store.url(), {"--workers", "1"});
  auto idle = server.connect();
  CHECK(idle.ask(request("GET", "/healthz")).status == 200);
  server.running.process().signal(SIGSTOP);
  idle.send(request("GET", "/healthz"));
  server.running.process().signal(SIGTERM);
  server.running.process().signal(SIGCONT);
  CHECK(idle.read_answer().status == 200);
  CHECK(server.running.process().wait(10s).status == 0);
}

TEST_CASE("SIGHUP puts another certificate in force for new connections and leaves the old ones alone") {
  FilledStore const store(StoreKind::sqlite);
  TlsServer server(store.url());
  auto old = server.connect();
  CHECK(old.tls().certificate_name() == "localhost");
  server.client.resume();
  CHECK(server.ask(request("GET", "/healthz")).status == 200);

  server.files.issue({.names = {"renewed", "localhost"}});
  server.running.process().signal(SIGHUP);
  server.running.process().wait_for_line("reloaded");
  CHECK(server.connect().tls().resumed());
  TlsClient other(server.files.authority.certificate());
  HttpConnection fresh(server.running.port(), other);
  CHECK(fresh.tls().certificate_name() == "renewed");
  CHECK(fresh.ask(request("GET", "/healthz")).status == 200);
  CHECK(old.ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("SIGHUP with a certificate that is bad says which, and the old one stays") {
  FilledStore const store(StoreKind::sqlite);
  TlsServer server(store.url());
  auto const good = server.files.authority.issue();
  for (auto const& bad :
       {CertificateAndKey{good.certificate, server.files.authority.issue().key}, CertificateAndKey{"junk", good.key},
        CertificateAndKey{good.certificate, encrypted(good.key)}}) {
    server.files.write(bad);
    server.running.process().signal(SIGHUP);
    auto const said = server.running.process().wait_for_line("not reloaded");
    CHECK(said.find(server.files.directory.path().string()) != std::string::npos);
    CHECK(server.ask(request("GET", "/healthz")).status == 200);
  }
  std::filesystem::remove(server.files.key);
  server.running.process().signal(SIGHUP);
  CHECK(server.running.process().wait_for_line("not reloaded").find(server.files.key) != std::string::npos);
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("SIGHUP neither switches HTTPS on nor off") {
  FilledStore const store(StoreKind::sqlite);
  TlsFilesOnDisk const files;
  auto const with = "tls-cert = \"" + files.certificate + "\"\ntls-key = \"" + files.key + "\"\n";
  bool const on = GENERATE(false, true);
  auto const config = files.directory.write("deployd.toml", on ? with : "");
  RunningDeployd server(store.url(), {"--config", config});
  files.directory.write("deployd.toml", on ? "" : with);
  server.process().signal(SIGHUP);
  CHECK(server.process().wait_for_line("not reloaded").find("--tls-cert") != std::string::npos);
  TlsClient client(files.authority.certificate());
  auto connection = on ? HttpConnection(server.port(), client) : HttpConnection(server.port());
  CHECK(connection.ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("no request fails while certificates are reloaded again and again") {
  FilledStore const store(StoreKind::sqlite);
  auto const line = bearer(store.create_token());
  TlsServer server(store.url(), {"--workers", "2"});
  std::atomic<bool> done = false;
  std::atomic<int> right = 0;
  std::atomic<int> wrong = 0;
  auto const load = [&](bool keeps_alive) {
    TlsClient client(server.files.authority.certificate());
    try {
      while (!done) {
        HttpConnection connection(server.running.port(), client);
        for (int i = 0; i < (keeps_alive ? 50 : 1) && !done; ++i)
          ++(connection.ask(request("GET", "/api/v1/deployments/1", line)).status == 200 ? right : wrong);
      }
    } catch (std::runtime_error const&) {
      ++wrong;
    }
  };
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) clients.emplace_back(load, i % 2 == 0);
  for (int round = 0; round < 20; ++round) {
    server.files.issue({.names = {"localhost"}});
    server.running.process().signal(SIGHUP);
    server.running.process().wait_for_line("reloaded");
  }
  done = true;
  for (auto& client : clients) client.join();
  CHECK(right > 100);
  CHECK(wrong == 0);
}
