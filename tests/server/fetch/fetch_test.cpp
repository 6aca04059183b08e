#include "server/fetch/fetch.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

#include "server/tls/certificate.hpp"
#include "tests/certificates.hpp"
#include "tests/http_provider.hpp"
#include "tests/process.hpp"

using namespace deployd::server;
using namespace deployd::tests;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;

namespace {

/// A provider of https whose authority is trusted.
struct Trusted {
  explicit Trusted(HttpProvider::Respond respond, CertificateWish const& wish = {})
      : provider(std::move(respond), authority.issue(wish)) {}

  FetchResult get(std::string const& path, FetchOptions const& options = {}) const {
    return fetch(*parse_url(provider.url(path)), options, make_trust(ca_file));
  }
  std::string fault(std::string const& path, FetchOptions const& options = {}) const {
    auto const result = get(path, options);
    return result ? "(fetched) " + result->body.substr(0, 100) : result.error().what;
  }

  CertificateAuthority authority;
  TemporaryDirectory directory;
  std::string ca_file = directory.write("ca.pem", authority.certificate());
  HttpProvider provider;
};

HttpProvider::Respond always(Provided answer) {
  return [answer = std::move(answer)](auto const&, auto const&) { return answer; };
}

}  // namespace

TEST_CASE("a URL is fetched by https with what a later request needs") {
  Trusted const server(always({"{}", 200,
                               "ETag: \"a\"\r\nCache-Control: public\r\nCache-Control: max-age=60\r\n"
                               "Content-Type: application/json\r\n"}));
  auto const result = server.get("/keys?x=1");
  REQUIRE(result.has_value());
  CHECK(result->body == "{}");
  CHECK(result->modified);
  CHECK(result->etag == "\"a\"");
  CHECK(result->max_age == 60s);
  CHECK(result->fields["Content-Type"] == "application/json");
  CHECK_THAT(server.provider.last_head(),
             ContainsSubstring("GET /keys?x=1 HTTP/1.1\r\n") && ContainsSubstring("Host: localhost:"));
}

TEST_CASE("an ETag that is still right is a response without a body") {
  Trusted const server([](auto const&, auto const& head) {
    return head.find("If-None-Match: \"a\"") == head.npos ? Provided{"{}", 200, "ETag: \"a\"\r\n"} : Provided{"", 304};
  });
  auto const result = server.get("/keys", {.etag = "\"a\""});
  REQUIRE(result.has_value());
  CHECK_FALSE(result->modified);
  CHECK_THAT(Trusted(always({"", 304})).fault("/"), EndsWith("/: answered with status 304"));
}

TEST_CASE("a certificate for another host, an expired one and one of a stranger are refused") {
  Trusted const other(always({"{}"}), {.names = {"id.example.com"}});
  CHECK_THAT(other.fault("/"), ContainsSubstring("the certificate is refused: hostname mismatch"));
  Trusted const expired(always({"{}"}), {.from = -48h, .until = -1h});
  CHECK_THAT(expired.fault("/"), ContainsSubstring("the certificate is refused: certificate has expired"));
  Trusted const one(always({"{}"}));
  auto const result = fetch(*parse_url(one.provider.url("/")), {}, make_trust(other.ca_file));
  REQUIRE_FALSE(result.has_value());
  CHECK_THAT(result.error().what, ContainsSubstring("the certificate is refused: "));
  auto const unknown = fetch(*parse_url(one.provider.url("/")), {}, make_trust(std::nullopt));
  REQUIRE_FALSE(unknown.has_value());
  CHECK_THAT(unknown.error().what, ContainsSubstring("the certificate is refused: "));
}

TEST_CASE("a certificate for a name is not one for the address") {
  Trusted const server(always({"{}"}));
  auto const url = "https://127.0.0.1:" + std::to_string(server.provider.port()) + "/";
  auto const result = fetch(*parse_url(url), {}, make_trust(server.ca_file));
  REQUIRE_FALSE(result.has_value());
  CHECK_THAT(result.error().what, ContainsSubstring("the certificate is refused: IP address mismatch"));
}

TEST_CASE("redirects are followed, a few of them, and the authorization stays at its origin") {
  Trusted server([](auto const& target, auto const&) {
    if (target == "/2") return Provided{"{}"};
    return Provided{"", 302, "Location: /" + std::to_string(std::stoi(target.substr(1)) + 1) + "\r\n"};
  });
  auto const near = server.get("/-3", {.authorization = "Bearer T"});
  REQUIRE(near.has_value());
  CHECK(near->body == "{}");
  CHECK(to_string(near->url) == server.provider.url("/2"));
  CHECK_THAT(server.provider.last_head(), ContainsSubstring("Authorization: Bearer T"));
  CHECK_THAT(server.fault("/-4"), EndsWith("/-4: redirects more than 5 times"));

  HttpProvider const other(always({"elsewhere"}), server.authority.issue());
  server.provider.respond(always({"", 307, "Location: " + other.url("/b") + "\r\n"}));
  auto const far = server.get("/a", {.authorization = "Bearer T"});
  REQUIRE(far.has_value());
  CHECK(far->body == "elsewhere");
  CHECK_THAT(other.last_head(), !ContainsSubstring("Authorization"));
}

TEST_CASE("a redirect to http is not followed, and one to nonsense is none") {
  auto const [location, why] = GENERATE(table<std::string, std::string>(
      {{"http://localhost/", "redirects to http, which is not followed"},
       {"ftp://localhost/", "redirects to a bad URL: its scheme is not https"},
       {"https://user@localhost/", "redirects to a bad URL: it holds a user or password"}}));
  Trusted const server(always({"", 301, "Location: " + location + "\r\n"}));
  CHECK_THAT(server.fault("/a"), EndsWith("/a: " + why));
}

TEST_CASE("a redirect loop ends") {
  Trusted const server(always({"", 302, "Location: /\r\n"}));
  CHECK_THAT(server.fault("/"), EndsWith("/: redirects more than 5 times"));
  CHECK(server.provider.count("/") == 6);
}

TEST_CASE("a body beyond the limit is refused, announced or not") {
  Trusted const server(always({std::string(10 << 20, 'x')}));
  CHECK_THAT(server.fault("/"), EndsWith("/: the response is larger than 1048576 bytes"));
  Trusted const exact(always({std::string(100, 'x')}));
  CHECK(exact.get("/", {.max_bytes = 100}).has_value());
  CHECK_FALSE(exact.get("/", {.max_bytes = 99}).has_value());
}

TEST_CASE("a large body arrives in pieces, and only the body of a 200") {
  std::string const whole(30 << 20, 'x');
  Trusted const server([&](auto const& target, auto const&) {
    if (target == "/a") return Provided{"elsewhere", 302, "Location: /b\r\n"};
    return target == "/b" ? Provided{whole} : Provided{"busy", 503};
  });
  std::size_t received = 0;
  std::size_t largest = 0;
  FetchOptions options{.max_bytes = whole.size(), .timeout = 120s};
  options.body_to = [&](std::string_view piece) {
    received += piece.size();
    largest = std::max(largest, piece.size());
  };
  auto const good = server.get("/a", options);
  REQUIRE(good.has_value());
  CHECK(good->body.empty());
  CHECK(received == whole.size());
  CHECK(largest <= 64 * 1024);
  received = 0;
  CHECK_THAT(server.fault("/c", options), EndsWith("/c: answered with status 503"));
  CHECK(received == 0);
}

TEST_CASE("a body of unknown length is limited too") {
  Trusted const server(always({.body = std::string(100, 'x'), .chunked = true}));
  auto const result = server.get("/", {.max_bytes = 100});
  REQUIRE(result.has_value());
  CHECK(result->body == std::string(100, 'x'));
  CHECK_THAT(server.fault("/", {.max_bytes = 99}), EndsWith("/: the response is larger than 99 bytes"));
}

TEST_CASE("an exception of the receiver ends the fetch and is passed on") {
  Trusted const server(always({std::string(1 << 20, 'x')}));
  FetchOptions options{.max_bytes = 2 << 20};
  options.body_to = [](std::string_view) { throw std::runtime_error("the disk is full"); };
  CHECK_THROWS_WITH(server.get("/", options), "the disk is full");
}

TEST_CASE("a server that stops in the middle is left after the time without a byte") {
  Trusted const server(always({.body = std::string(1000, 'x'), .stalls_midway = true}));
  auto const start = std::chrono::steady_clock::now();
  CHECK_THAT(server.fault("/", {.timeout = 60s, .max_silence = 200ms}), EndsWith("/: no byte received for 0.2 s"));
  CHECK(std::chrono::steady_clock::now() - start < 5s);
}

TEST_CASE("a server that says nothing is left when the time is over") {
  Trusted const server(always({.stalls = true}));
  auto const start = std::chrono::steady_clock::now();
  CHECK_THAT(server.fault("/", {.timeout = 200ms}), EndsWith("/: no complete response within 0.2 s"));
  CHECK(std::chrono::steady_clock::now() - start < 5s);
}

TEST_CASE("an answer that is cut short is refused") {
  Trusted const server(always({.body = "{\"keys\":[]}", .cut = true}));
  CHECK_THAT(server.fault("/"), EndsWith("/: the response is cut short"));
}

TEST_CASE("a redirect without a Location is a fault") {
  CHECK_THAT(Trusted(always({"", 302})).fault("/"), EndsWith("/: redirects without a Location"));
}

TEST_CASE("other answers than 200 are faults with their status and Retry-After") {
  Trusted const server(always({"busy", 503, "Retry-After: 7\r\n"}));
  auto const result = server.get("/");
  REQUIRE_FALSE(result.has_value());
  CHECK_THAT(result.error().what, EndsWith("/: answered with status 503"));
  CHECK(result.error().status == 503);
  CHECK(result.error().retry_after == 7s);
}

TEST_CASE("a body with a coding that nobody asked for is refused") {
  Trusted const server(always({"{}", 200, "Content-Encoding: gzip\r\n"}));
  CHECK_THAT(server.fault("/"), EndsWith("/: the response has a Content-Encoding that was not asked for"));
}

TEST_CASE("where nothing listens, the fault says so") {
  Trusted server(always({"{}"}));
  server.provider.die();
  CHECK_THAT(server.fault("/"), EndsWith("/: cannot connect: Connection refused"));
}

TEST_CASE("a host that does not exist is named") {
  auto const result = fetch(*parse_url("https://no-such-host.invalid/"), {}, make_trust(std::nullopt));
  REQUIRE_FALSE(result.has_value());
  CHECK_THAT(result.error().what, ContainsSubstring("https://no-such-host.invalid/: host name not found"));
}

TEST_CASE("http is spoken where the URL says so") {
  HttpProvider const server(always({"{}"}));
  auto const result = fetch(*parse_url(server.url("/a")), {}, make_trust(std::nullopt));
  REQUIRE(result.has_value());
  CHECK(result->body == "{}");
}

TEST_CASE("a file of authorities that cannot be used is named") {
  TemporaryDirectory const directory;
  auto const file = directory.write("ca.pem", "no certificate");
  CHECK_THROWS_AS(make_trust(file), TlsError);
}
