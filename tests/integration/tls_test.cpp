// The API over TLS, certificates, and what is wrong with them.
#include <openssl/ssl.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/integration/tls_server.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

std::string const& line() {
  static std::string const made = bearer(store().create_token());
  return made;
}

TlsServer& server() {
  static TlsServer running(store().url());
  return running;
}

/// A client that trusts the server, of one version of TLS.
TlsClient client_of(int version) {
  return TlsClient(server().files.authority.certificate()).only(version);
}

/// Runs `deployd serve`, or another command, that is to fail with bad configuration, and returns what it says.
std::string complaint(std::vector<std::string> arguments, std::string const& command = "serve") {
  arguments.insert(arguments.begin(), {command, "--database", store().url()});
  auto const outcome = run_deployd(arguments);
  CAPTURE(outcome.err);
  CHECK(outcome.status == 78);
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  return outcome.err;
}

}  // namespace

TEST_CASE("everything is answered over TLS 1.2 and 1.3 as in plain text", "[tls]") {
  RunningDeployd const plain(store().url());
  for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto client = client_of(version);
    HttpConnection secured(server().running.port(), client);
    CHECK(secured.tls().version() == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
    for (auto const& bytes :
         {request("GET", "/api/v1/deployments", line()), request("GET", "/api/v1/deployments/1", line()),
          request("GET", "/api/v1/deployments/1", line()), request("GET", "/api/v1/deployments/77", line()),
          request("HEAD", "/api/v1/deployments", line()), request("GET", "/api/v1/deployments"),
          request("GET", "/api/v1/deployments?$limit=2", line()), request("GET", "/api/v1/deployments?x=1", line()),
          request("OPTIONS", "/api/v1/deployments"), request("DELETE", "/api/v1/deployments/1", line()),
          request("POST", "/api/v1/deployments", line() + "Content-Length: 2\r\n") + "{}", request("GET", "/healthz"),
          request("GET", "/readyz"), request("GET", "/nothing")}) {
      CAPTURE(version, bytes);
      auto const got = secured.ask(bytes);
      auto const want = plain.ask(bytes);
      CHECK(got.status == want.status);
      CHECK(got.body == want.body);
      CHECK(got["ETag"] == want["ETag"]);
      CHECK(got["Link"] == want["Link"]);
      CHECK(got.fields.size() == want.fields.size());
    }
  }
}

TEST_CASE("pipelined requests are answered in order over TLS", "[tls]") {
  auto connection = server().connect();
  std::string all;
  for (int i = 0; i < 50; ++i) all += request("GET", "/api/v1/deployments/" + std::to_string(1 + i % 4), line());
  connection.send(all);
  for (int i = 0; i < 50; ++i) {
    auto const got = connection.read_answer();
    REQUIRE(got.status == 200);
    REQUIRE(got.body.starts_with("{\"id\":" + std::to_string(1 + i % 4) + ","));
  }
}

TEST_CASE("a request may come in many records, and a record in many pieces", "[tls]") {
  auto client = client_of(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
  HttpConnection connection(server().running.port(), client);
  auto const bytes = request("GET", "/api/v1/deployments/1", line());
  for (char const c : bytes) connection.send({&c, 1});
  CHECK(connection.read_answer().status == 200);
  auto const record = connection.tls().encrypt(bytes);
  for (char const c : record) connection.send_raw({&c, 1});
  CHECK(connection.read_answer().status == 200);
}

TEST_CASE("requests of every size are read, whatever the records are that they come in", "[tls]") {
  auto connection = server().connect();
  for (std::size_t size = 1; size < 16'000; size = size * 5 / 3 + 1) {
    CAPTURE(size);
    auto const filling = "X-Filling: " + std::string(size, 'x') + "\r\n";
    REQUIRE(connection.ask(request("GET", "/api/v1/deployments/1", line() + filling)).status == 200);
  }
  auto const too_large = "X-Filling: " + std::string(20'000, 'x') + "\r\n";
  CHECK(connection.ask(request("GET", "/api/v1/deployments/1", line() + too_large)).status == 431);
  connection.finish_sending();
  CHECK(connection.read_to_end().empty());
  CHECK(connection.tls().ended_in_order());
}

TEST_CASE("a connection that is closed after its answer says so first", "[tls]") {
  auto client = client_of(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
  HttpConnection connection(server().running.port(), client);
  CHECK(connection.ask(request("GET", "/healthz", "Connection: close\r\n")).status == 200);
  CHECK(connection.ends_within(10s));
  CHECK(connection.tls().ended_in_order());
}

TEST_CASE("a client that says that it sends no more still gets its answer", "[tls]") {
  auto connection = server().connect();
  connection.send(request("GET", "/api/v1/deployments/1", line()));
  connection.finish_sending();
  CHECK(connection.read_answer().status == 200);
  CHECK(connection.ends_within(10s));
  CHECK(connection.tls().ended_in_order());
}

TEST_CASE("plain HTTP to a TLS address is a 400 in plain text", "[tls]") {
  for (auto const& bytes : {request("GET", "/api/v1/deployments", line()), request("OPTIONS", "/"),
                            request("POST", "/", "Content-Length: 50000\r\n") + std::string(50'000, 'x')}) {
    HttpConnection connection(server().running.port());
    auto const got = connection.ask(bytes);
    CHECK(got.status == 400);
    CHECK(got["Connection"] == "close");
    CHECK(got.body ==
          error_json("BadRequest", "This address accepts HTTPS only; the request was plain HTTP", 400, "bad-request"));
    connection.finish_sending();
    CHECK(connection.read_to_end().empty());
  }
  HttpConnection connection(server().running.port());
  CHECK(connection.ask(request("HEAD", "/")).status == 400);
  connection.finish_sending();
  CHECK(connection.read_to_end().empty());
}

TEST_CASE("a session is resumed on every worker, by ticket", "[tls]") {
  TlsServer several(store().url(), {"--workers", "4"});
  several.client.only(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION)).resume();
  CHECK(several.connect().ask(request("GET", "/healthz")).status == 200);
  for (int i = 0; i < 40; ++i) {
    auto connection = several.connect();
    CHECK(connection.tls().resumed());
    CHECK(connection.ask(request("GET", "/api/v1/deployments/1", line())).status == 200);
  }
}

TEST_CASE("with --tls-client-ca only clients with a certificate of it are answered, and still need a token", "[tls]") {
  CertificateAuthority const people;
  TemporaryDirectory const directory;
  TlsServer strict(store().url(), {"--tls-client-ca", directory.write("ca.pem", people.certificate())});
  auto const version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  auto const with = [&](CertificateAndKey const* shown) {
    TlsClient client(strict.files.authority.certificate());
    client.only(version);
    if (shown != nullptr) client.show(*shown);
    HttpConnection connection(strict.running.port(), client);
    return connection.ask(request("GET", "/api/v1/deployments/1", line())).status;
  };
  auto const jane = people.issue({.names = {"jane"}});
  auto const stranger = CertificateAuthority().issue({.names = {"jane"}});
  auto const expired = people.issue({.names = {"jane"}, .from = -2h, .until = -1h});
  CHECK(with(&jane) == 200);
  CHECK_THROWS(with(nullptr));
  CHECK_THROWS(with(&stranger));
  CHECK_THROWS(with(&expired));
  strict.client.show(jane);
  CHECK(strict.ask(request("GET", "/api/v1/deployments/1")).status == 401);
}

TEST_CASE("of several certificates the name decides", "[tls]") {
  CertificateAuthority const authority;
  TemporaryDirectory const directory;
  std::vector<std::string> options;
  for (std::string const name : {"other.example", "localhost"}) {
    auto const pair = authority.issue({.names = {name}});
    for (auto const& word : {std::string("--tls-cert"), directory.write(name + ".pem", pair.certificate),
                             std::string("--tls-key"), directory.write(name + ".key", pair.key)})
      options.push_back(word);
  }
  RunningDeployd const running(store().url(), options);
  TlsClient client(authority.certificate());
  HttpConnection connection(running.port(), client);
  CHECK(connection.tls().certificate_name() == "localhost");
  CHECK(connection.ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("certificates may be named in the environment and in the file", "[tls]") {
  TlsFilesOnDisk const files;
  TlsClient client(files.authority.certificate());
  RunningDeployd const variables(store().url(), {},
                                 {{"DEPLOYD_TLS_CERT", files.certificate}, {"DEPLOYD_TLS_KEY", files.key}});
  CHECK(HttpConnection(variables.port(), client).ask(request("GET", "/healthz")).status == 200);
  auto const config = files.directory.write(
      "deployd.toml", "tls-cert = [\"" + files.certificate + "\"]\ntls-key = \"" + files.key + "\"\n");
  RunningDeployd const file(store().url(), {"--config", config});
  CHECK(HttpConnection(file.port(), client).ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("a Unix domain socket is spoken to in plain text beside TLS on TCP", "[tls]") {
  auto const path = (store().directory() / "tls.sock").string();
  TlsServer both(store().url(), {"--listen", "unix:" + path});
  CHECK(HttpConnection(path).ask(request("GET", "/api/v1/deployments/1", line())).status == 200);
  CHECK(both.ask(request("GET", "/api/v1/deployments/1", line())).status == 200);
}

TEST_CASE("a certificate without a key, and a key without a certificate, are bad configuration", "[tls]") {
  TlsFilesOnDisk const files;
  CHECK(complaint({"--tls-cert", files.certificate}).find("--tls-key is missing") != std::string::npos);
  CHECK(complaint({"--tls-key", files.key}).find("--tls-cert is missing") != std::string::npos);
  CHECK(complaint(files.options({"--tls-cert", files.certificate})).find("--tls-key is missing") != std::string::npos);
  CHECK(complaint({"--tls-client-ca", files.certificate}).find("--tls-cert is missing") != std::string::npos);
}

TEST_CASE("files that TLS cannot be served with are bad configuration and named", "[tls]") {
  TlsFilesOnDisk files;
  auto const names = [&](std::string const& file, std::vector<std::string> const& more = {}) {
    for (auto const* const command : {"serve", "check"}) {
      CAPTURE(command, file);
      CHECK(complaint(files.options(more), command).find(file) != std::string::npos);
    }
  };
  auto const good = files.authority.issue();
  files.write({good.certificate, files.authority.issue().key});
  names(files.key);
  files.write({good.certificate, encrypted(good.key)});
  names(files.key);
  files.write({"junk", good.key});
  names(files.certificate);
  files.issue({.key = KeyType::weak_rsa});
  names(files.certificate + ": the key of the certificate has 1024 bits");
  files.write(good);
  names("/nonexistent", {"--tls-client-ca", "/nonexistent"});
  std::filesystem::remove(files.key);
  names(files.key);
}

TEST_CASE("an expired certificate is warned of and served", "[tls]") {
  TlsFilesOnDisk const files({.names = {"localhost"}, .from = -48h, .until = -1h});
  RunningDeployd running(store().url(), files.options());
  CHECK(running.process().err().find(files.certificate + ": the certificate has expired") != std::string::npos);
  auto client = TlsClient(files.authority.certificate());
  try {
    HttpConnection const connection(running.port(), client);
    FAIL("a client has let it pass");
  } catch (std::runtime_error const& error) {
    CHECK(std::string(error.what()).find("certificate verify failed") != std::string::npos);
  }
  auto const checked =
      run_deployd({"check", "--database", store().url(), "--tls-cert", files.certificate, "--tls-key", files.key});
  CHECK(checked.status == 0);
  CHECK(checked.out.find("has expired") != std::string::npos);
}
