// CONTRACT: who gets in.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <regex>
#include <string>
#include <string_view>

#include "tests/auth/signing.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

unsigned status_with(RunningDeployd const& server, std::string_view lines) {
  return server.ask(request("GET", "/api/v1/deployments/1", lines)).status;
}

std::string sign(std::vector<std::string> options, std::string const& secret = jwt_secret) {
  options.insert(options.begin(), {"token", "sign"});
  auto const outcome = run_deployd(std::move(options), {{"DEPLOYD_JWT_SECRET", secret}});
  CHECK(outcome.status == 0);
  return outcome.out.substr(0, outcome.out.find('\n'));
}

std::string id_of_only_token(FilledStore const& store) {
  auto const listed = run_deployd({"token", "list", "--database", store.url()});
  CHECK(listed.status == 0);
  auto const line = listed.out.substr(listed.out.find('\n') + 1);
  return line.substr(0, line.find_first_of(" \t"));
}

}  // namespace

TEST_CASE("without a good token the answer is a 401 with a challenge and one message", "[authentication]") {
  with_each_store([](Service& service) {
    struct Row {
      std::string_view what;
      std::string lines;
      bool given;
    };
    auto const token = service.token;
    for (auto const& row :
         std::vector<Row>{{"nothing", "", false},
                          {"another scheme", "Authorization: Basic dXNlcjpwYXNz\r\n", false},
                          {"no token", "Authorization: Bearer\r\n", true},
                          {"not a token", bearer("x"), true},
                          {"an API token that nobody made", bearer("dpd_" + std::string(43, 'A')), true},
                          {"an API token and more", bearer(token + "x"), true},
                          {"part of an API token", bearer(token.substr(0, token.size() - 1)), true},
                          {"two tokens in one field", bearer(token + " " + token), true},
                          {"two fields", bearer(token) + bearer(token), true},
                          {"no scheme", "Authorization: " + token + "\r\n", false},
                          {"a JWT of another secret", bearer(sign({"--subject", "jane"}, std::string(32, 'x'))), true},
                          {"an unsigned JWT", bearer("eyJhbGciOiJub25lIn0.eyJleHAiOjQwMDAwMDAwMDB9."), true}}) {
      CAPTURE(service.store.kind(), row.what);
      auto const got = service.server.ask(request("GET", "/api/v1/deployments", row.lines));
      CHECK(got.status == 401);
      CHECK(got["WWW-Authenticate"] == (row.given ? "Bearer error=\"invalid_token\"" : "Bearer"));
      CHECK(got.body == error_json("NotAuthenticated", "Not authenticated", 401, "not-authenticated"));
    }
  });
}

TEST_CASE("a token is no token in the query or in a cookie", "[authentication]") {
  auto& one = service(StoreKind::sqlite);
  CHECK(one.server.ask(request("GET", "/api/v1/deployments?access_token=" + one.token)).status == 401);
  CHECK(status_with(one.server, "Cookie: token=" + one.token + "\r\n") == 401);
}

TEST_CASE("an API token lets in, whatever the case of its scheme", "[authentication]") {
  with_each_store([](Service& service) {
    CAPTURE(service.store.kind());
    CHECK(std::regex_match(service.token, std::regex("dpd_[A-Za-z0-9_-]{43}")));
    for (std::string const scheme : {"Bearer", "bearer", "BEARER", "bEaReR"})
      CHECK(status_with(service.server, "authorization: " + scheme + " " + service.token + "\r\n") == 200);
  });
}

TEST_CASE("a JWT that token sign has made lets in", "[authentication]") {
  with_each_store([](Service& service) {
    CAPTURE(service.store.kind());
    CHECK(status_with(service.server, bearer(sign({"--subject", "jane"}))) == 200);
    CHECK(status_with(service.server, bearer(sign({"--subject", "jane", "--ttl", "5m"}))) == 200);
  });
}

TEST_CASE("a JWT must have the issuer and audience that are configured", "[authentication]") {
  auto& one = service(StoreKind::sqlite);
  RunningDeployd const strict(one.store.url(), {"--jwt-issuer", "us", "--jwt-audience", "here"},
                              {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  auto const status = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"--subject", "jane"});
    return status_with(strict, bearer(sign(std::move(options))));
  };
  CHECK(status({"--jwt-issuer", "us", "--jwt-audience", "here"}) == 200);
  CHECK(status({"--jwt-issuer", "them", "--jwt-audience", "here"}) == 401);
  CHECK(status({"--jwt-issuer", "us", "--jwt-audience", "there"}) == 401);
  CHECK(status({"--jwt-issuer", "us"}) == 401);
  CHECK(status({}) == 401);
  CHECK(status_with(strict, bearer(one.token)) == 200);
}

TEST_CASE("a JWT lets in until it expires and not longer", "[authentication]") {
  auto& one = service(StoreKind::sqlite);
  RunningDeployd const strict(one.store.url(), {"--jwt-leeway", "0"}, {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  auto const line = bearer(sign({"--subject", "jane", "--ttl", "2s"}));
  CHECK(status_with(strict, line) == 200);
  CHECK(eventually(4s, [&] { return status_with(strict, line) == 401; }));
}

TEST_CASE("a revoked API token is refused within a second on a running server", "[authentication]") {
  with_each_store([](Service& shared) {
    CAPTURE(shared.store.kind());
    FilledStore const store(shared.store.kind());
    auto const token = store.create_token();
    RunningDeployd const server(store.url());
    CHECK(status_with(server, bearer(token)) == 200);
    CHECK(status_with(server, bearer(token)) == 200);
    CHECK(run_deployd({"token", "revoke", "--database", store.url(), id_of_only_token(store)}).status == 0);
    auto const revoked = std::chrono::steady_clock::now();
    CHECK(eventually(5s, [&] { return status_with(server, bearer(token)) == 401; }));
    CHECK(std::chrono::steady_clock::now() - revoked < 1s);
  });
}

TEST_CASE("an API token lets in until it expires and at most a second longer", "[authentication]") {
  with_each_store([](Service& shared) {
    CAPTURE(shared.store.kind());
    auto const made = std::chrono::steady_clock::now();
    auto const token = shared.store.create_token({"--expires", "3s"});
    CHECK(status_with(shared.server, bearer(token)) == 200);
    CHECK(eventually(10s, [&] { return status_with(shared.server, bearer(token)) == 401; }));
    auto const lasted = std::chrono::steady_clock::now() - made;
    CHECK(lasted > 3s);
    CHECK(lasted < 6s);
  });
}

TEST_CASE("an API token that is made while the server runs lets in at once", "[authentication]") {
  with_each_store([](Service& shared) {
    CAPTURE(shared.store.kind());
    CHECK(status_with(shared.server, bearer(shared.store.create_token())) == 200);
  });
}

TEST_CASE("with no way to check tokens the server starts, says so and refuses every call", "[authentication]") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd server(store.url());
  CHECK(server.process().err().find("every request will be refused") != std::string::npos);
  CHECK(server.ask(request("GET", "/api/v1/deployments", bearer(sign({"--subject", "jane"})))).status == 401);
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("public keys from PEM files and JWK sets let in what is signed with their private halves",
          "[authentication]") {
  FilledStore const store(StoreKind::sqlite);
  TemporaryDirectory const directory;
  auto const p384 = SigningKey::of("P-384");
  auto const ed25519 = SigningKey::of("ED25519");
  auto const stranger = SigningKey::of("P-384");
  auto const rsa_file = directory.write("rsa.pem", rsa_key().public_pem());
  auto const ec_file = directory.write("ec.pem", p384.public_pem());
  auto const jwks = directory.write(
      "jwks.json", boost::json::serialize(boost::json::object{{"keys", boost::json::array{ed25519.jwk()}}}));
  RunningDeployd const server(store.url(), {"--jwt-public-key", rsa_file, "--jwt-public-key", ec_file, "--jwks", jwks});
  auto const status = [&](SigningKey const& key, std::string_view algorithm) {
    return status_with(server, bearer(jwt(key, algorithm, R"({"exp":4102444800})")));
  };
  CHECK(status(rsa_key(), "RS256") == 200);
  CHECK(status(rsa_key(), "PS512") == 200);
  CHECK(status(p384, "ES384") == 200);
  CHECK(status(ed25519, "EdDSA") == 200);
  CHECK(status(stranger, "ES384") == 401);
  CHECK(status(other_rsa_key(), "RS256") == 401);
}

namespace {

/// Returns a JWT of exactly so many bytes, like that of a user in many groups.
std::string jwt_of_size(std::size_t size) {
  auto const key = SigningKey::hmac(jwt_secret);
  auto const with_groups = [&](std::size_t bytes) {
    return jwt(key, "HS256", R"({"sub":"jane","exp":4000000000,"groups":[")" + std::string(bytes, 'g') + "\"]}");
  };
  auto bytes = (size - with_groups(0).size()) / 4 * 3;
  while (with_groups(bytes).size() < size) ++bytes;
  return with_groups(bytes);
}

}  // namespace

TEST_CASE("a token may be as long as the header may", "[authentication]") {
  auto& one = service(StoreKind::sqlite);
  auto const of_groups = jwt_of_size(8300);
  REQUIRE(of_groups.size() == 8300);
  CHECK(status_with(one.server, bearer(of_groups)) == 200);
  CHECK(status_with(one.server, bearer(of_groups)) == 200);

  RunningDeployd const roomy(store().url(), {"--max-header-bytes", "64KiB"}, {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  auto const beside = request("GET", "/", bearer("")).size() - std::string_view("GET / HTTP/1.1\r\n\r\n").size();
  auto const longest = jwt_of_size(65536 - beside);
  REQUIRE(longest.size() == 65536 - beside);
  CHECK(status_with(roomy, bearer(longest)) == 200);
  CHECK(status_with(roomy, bearer(longest + "x")) == 431);
}

TEST_CASE("a JWT that refers to keys elsewhere, and one whose subject is a number, let in", "[authentication]") {
  auto& one = service(StoreKind::sqlite);
  auto const header = R"({"alg":"HS256","jku":"http://127.0.0.1:1/token_keys","x5t":"abc","typ":"JWT"})";
  auto const token = jwt_with_header(SigningKey::hmac(jwt_secret), deployd::auth::Algorithm::hs256, header,
                                     R"({"sub":4711,"exp":4000000000})");
  CHECK(status_with(one.server, bearer(token)) == 200);
}
