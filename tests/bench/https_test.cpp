// deployd-bench over TLS, against deployd itself.
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/integration/tls_server.hpp"

using namespace deployd::tests;

namespace {

struct Measured {
  int status;
  std::string complaint;
  std::int64_t requests;
  boost::json::object errors;
  std::int64_t handshakes;
  std::int64_t resumed;
};

Measured measure(std::string const& url, std::vector<std::string> const& options) {
  TemporaryDirectory const directory;
  auto const file = (directory.path() / "results.json").string();
  Command command;
  command.arguments = {DEPLOYD_BENCH_PROGRAM, url, "--json",    file, "--warmup", "0s",
                       "--connections",       "4", "--timeout", "2s"};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  auto const outcome = run(command);
  auto const json = boost::json::parse(read_file(file));
  auto const* const tls = json.as_object().if_contains("tls");
  auto const count = [&](char const* name) { return tls == nullptr ? 0 : tls->at(name).to_number<std::int64_t>(); };
  return {outcome.status,
          outcome.err,
          json.at("requests").to_number<std::int64_t>(),
          json.at("errors").as_object(),
          count("handshakes"),
          count("resumed")};
}

/// A server, and files that say whom to trust.
struct Measurable {
  Measurable()
      : server(store.url()), authority(server.files.directory.write("ca.pem", server.files.authority.certificate())) {}

  std::string url(std::string const& scheme, std::string const& target, std::string const& host = "localhost") const {
    return scheme + "://" + host + ":" + std::to_string(server.running.port()) + target;
  }

  FilledStore store{StoreKind::sqlite};
  TlsServer server;
  std::string authority;
};

}  // namespace

TEST_CASE("https is measured as http is, and with a handshake for each request if asked to") {
  Measurable const measurable;
  auto const url = measurable.url("https", "/api/v1/deployments/{1..4}");
  auto const token = measurable.store.create_token();
  auto const options = GENERATE(std::vector<std::string>{}, std::vector<std::string>{"--pipeline", "8"},
                                std::vector<std::string>{"--new-connections"});
  CAPTURE(options);
  auto all = options;
  for (auto const& word : {"--requests", "300", "--token", token.c_str(), "--ca", measurable.authority.c_str()})
    all.emplace_back(word);
  auto const got = measure(url, all);
  CHECK(got.status == 0);
  CHECK(got.requests == 300);
  CHECK(got.resumed == 0);
  CHECK(got.handshakes >= (options == std::vector<std::string>{"--new-connections"} ? 300 : 4));
}

TEST_CASE("with --resume only the first handshake of each connection is one in full") {
  Measurable const measurable;
  auto const got = measure(measurable.url("https", "/healthz"),
                           {"--resume", "--new-connections", "--requests", "100", "--ca", measurable.authority});
  CHECK(got.status == 0);
  CHECK(got.requests == 100);
  CHECK(got.handshakes >= 100);
  CHECK(got.handshakes - got.resumed == 4);
}

TEST_CASE("a certificate that is not trusted ends the run at once, unless --insecure is given") {
  Measurable const measurable;
  CertificateAuthority const stranger("somebody else");
  auto const other = measurable.server.files.directory.write("other.pem", stranger.certificate());
  auto const distrusted = [&](std::string const& host, std::vector<std::string> const& options, char const* reason) {
    Command command;
    command.arguments = {DEPLOYD_BENCH_PROGRAM, measurable.url("https", "/healthz", host), "--duration", "1h"};
    command.arguments.insert(command.arguments.end(), options.begin(), options.end());
    auto const got = run(command);
    CAPTURE(host, options, got.err);
    CHECK(got.status == 69);
    CHECK(got.out.empty());
    CHECK(got.err.find(host) != std::string::npos);
    CHECK(got.err.find(reason) != std::string::npos);
    CHECK(got.err.find("--insecure") != std::string::npos);
    CHECK(std::count(got.err.begin(), got.err.end(), '\n') == 1);
  };
  distrusted("localhost", {}, "unable to get local issuer certificate");
  distrusted("localhost", {"--ca", other}, "unable to get local issuer certificate");
  distrusted("127.0.0.1", {"--ca", measurable.authority}, "IP address mismatch");  // the certificate is for localhost
  CHECK(measure(measurable.url("https", "/healthz"), {"--insecure", "--requests", "4"}).status == 0);
}

TEST_CASE("plain text and TLS that meet are no right answers") {
  Measurable const measurable;
  auto const in_plain_text = measure(measurable.url("http", "/healthz"), {"--requests", "20"});
  CHECK(in_plain_text.errors.at("400").to_number<int>() == 20);

  RunningDeployd const plain(measurable.store.url());
  auto const got = measure("https://127.0.0.1:" + std::to_string(plain.port()) + "/healthz", {"--requests", "10"});
  CHECK(got.status == 1);
  CHECK(got.requests == 0);
  CHECK(got.errors.at("tls").to_number<int>() == 10);
  CHECK(got.complaint.find(": tls (") !=
        std::string::npos);  // and OpenSSL's reason, which its versions word differently
}

TEST_CASE("a server that requires a certificate of the client is named as the reason") {
  FilledStore const store{StoreKind::sqlite};
  TemporaryDirectory const directory;
  CertificateAuthority const clients;
  TlsServer const server(store.url(), {"--tls-client-ca", directory.write("clients.pem", clients.certificate())});
  auto const authority = directory.write("ca.pem", server.files.authority.certificate());
  // The failure is not about the server's certificate, even if that is not verified.
  auto const options =
      GENERATE_COPY(std::vector<std::string>{"--ca", authority}, std::vector<std::string>{"--insecure"});
  auto all = options;
  all.insert(all.end(), {"--requests", "4"});
  auto const got = measure("https://localhost:" + std::to_string(server.running.port()) + "/healthz", all);
  CAPTURE(options, got.complaint);
  CHECK(got.status == 1);
  CHECK(got.errors.at("tls").to_number<int>() == 4);
  CHECK(got.complaint.find("certificate required") != std::string::npos);
  CHECK(got.complaint.find("--insecure") == std::string::npos);
}
