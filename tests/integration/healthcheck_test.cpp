// CONTRACT: `healthcheck` asks the server that runs with the same options.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/http_provider.hpp"
#include "tests/integration/admin_listener.hpp"
#include "tests/integration/listening_socket.hpp"
#include "tests/integration/running_deployd.hpp"
#include "tests/integration/tls_server.hpp"

using namespace deployd::tests;

namespace {

Outcome check_health(std::vector<std::string> options) {
  options.insert(options.begin(), "healthcheck");
  return run_deployd(std::move(options));
}

void expect_healthy(std::vector<std::string> options) {
  auto const outcome = check_health(std::move(options));
  CAPTURE(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.empty());
}

void expect_unhealthy(std::vector<std::string> options, std::string const& why, int status = 69) {
  auto const outcome = check_health(std::move(options));
  CAPTURE(outcome.err, why);
  CHECK(outcome.status == status);
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK(outcome.err.find(why) != std::string::npos);
}

}  // namespace

TEST_CASE("healthcheck finds the server by its addresses, however they are written", "[healthcheck]") {
  TemporaryDirectory const directory;
  auto const path = (directory.path() / "deployd.sock").string();
  RunningDeployd server(store().url(), {"--listen", "unix:" + path, "--admin-listen", "127.0.0.1:0"});
  auto const port = std::to_string(server.port());
  for (auto const& listen : {"127.0.0.1:" + port, "0.0.0.0:" + port, ":" + port, port, "localhost:" + port})
    expect_healthy({"--listen", listen});
  expect_healthy({"--listen", "127.0.0.1:1", "--listen", "unix:" + path});
  expect_healthy({"--listen", "127.0.0.1:1", "--admin-listen", ":" + std::to_string(admin_port(server))});
  server.process().signal(SIGTERM);
  server.process().wait();
  expect_unhealthy({"--listen", "127.0.0.1:" + port},
                   "--listen: no healthy deployd on 127.0.0.1:" + port + ": cannot connect: Connection refused");
  expect_unhealthy({"--listen", "unix:" + path}, "No such file or directory");
}

TEST_CASE("healthcheck finds a server on all IPv6 addresses", "[healthcheck]") {
  if (!std::filesystem::exists("/proc/net/if_inet6")) SKIP("there is no IPv6");
  RunningDeployd server(store().url(), {"--listen", "[::]:0"});
  auto const line = server.process().wait_for_line("listening on [::]:");
  expect_healthy({"--listen", line.substr(line.find("[::]:"))});
}

TEST_CASE("healthcheck speaks HTTPS to a server with a certificate, whatever its name", "[healthcheck]") {
  TlsServer server(store().url());
  auto const address = "127.0.0.1:" + std::to_string(server.running.port());
  expect_healthy(server.files.options({"--listen", address}));
  RunningDeployd const plain(store().url());
  expect_unhealthy(server.files.options({"--listen", "127.0.0.1:" + std::to_string(plain.port())}), "TLS failed: ");
  auto with_ca = server.files.options({"--listen", address, "--tls-client-ca", server.files.certificate});
  expect_unhealthy(std::move(with_ca), "--tls-client-ca: healthcheck has no client certificate", 78);
}

TEST_CASE("healthcheck waits no longer than --timeout, and names what is no fixed address", "[healthcheck]") {
  ListeningSocket const silent;
  auto const address = "127.0.0.1:" + std::to_string(silent.port());
  expect_unhealthy({"--listen", address, "--timeout", "50ms"}, "no complete response within 0.05 s");
  expect_unhealthy({"--listen", "127.0.0.1:0"}, "healthcheck needs a fixed one", 78);
  expect_unhealthy({"--listen", address, "--timeout", "0s"}, "--timeout: '0s' is not from 1ms to 1h", 64);
}

TEST_CASE("healthcheck does not follow another program's redirect to a healthy server", "[healthcheck]") {
  HttpProvider const healthy([](auto const&, auto const&) { return Provided{.body = "{}"}; },
                             CertificateAuthority().issue());
  auto const elsewhere = "Location: " + healthy.url("/") + "\r\n";
  HttpProvider const redirecting([&](auto const&, auto const&) { return Provided{.status = 302, .lines = elsewhere}; });
  expect_unhealthy({"--listen", "127.0.0.1:" + std::to_string(redirecting.port())}, "answered with status 302");
  CHECK(healthy.count("/") == 0);
}
