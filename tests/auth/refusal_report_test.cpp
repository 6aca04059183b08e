#include "auth/refusal_report.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <chrono>
#include <string>

#include "auth/jwt/key_ring.hpp"
#include "auth/jwt/verifier.hpp"
#include "tests/auth/checking.hpp"
#include "tests/auth/key_files.hpp"
#include "tests/auth/signing.hpp"

namespace {

using namespace std::chrono_literals;
using namespace deployd::tests;
using Catch::Matchers::ContainsSubstring;
using deployd::auth::Algorithm;
using deployd::auth::encode_base64url;
using deployd::auth::in_quotes;
using deployd::auth::in_units;
using deployd::auth::JwtVerifier;
using deployd::auth::KeyRing;
using deployd::auth::KeyRingOptions;
using deployd::auth::report_refusal;

std::string const secret(32, 's');

/// The report of a ring on a token, or `good`.
std::string report(std::string const& token, KeyRingOptions const& options = {.secret = secret}) {
  auto const ring = KeyRing::load(options);
  auto const good = JwtVerifier(ring).verify(token, noon);
  return good ? "good" : report_refusal(good.error(), token, *ring, noon);
}

std::string signed_token(std::string const& header, std::string const& payload) {
  return jwt_with_header(SigningKey::hmac(secret), Algorithm::hs256, header, payload);
}

}  // namespace

TEST_CASE("a report says why, what the token says of itself, and what was expected") {
  auto const token =
      signed_token(R"({"alg":"HS256","kid":"k1"})",
                   R"({"sub":"jane","iss":"https://a.example","aud":["b","c"],"exp":1799988480,"nbf":1799980000})");
  CHECK(
      report(token, {.secret = secret, .issuer = "https://a.example", .audience = "b", .leeway = 30s}) ==
      "the token has expired; it says alg 'HS256', kid 'k1', iss 'https://a.example', aud 'b', 'c', expired 3 h 12 min "
      "ago; expected are alg HS256, kid any, iss 'https://a.example', aud 'b'");
  CHECK(report(signed_token(R"({"alg":"HS256"})", R"({"exp":1800000090,"nbf":1800000060})")) ==
        "the token is not valid yet; it says alg 'HS256', kid none, iss none, aud none, expires in 1 min 30 s, is "
        "valid in "
        "1 min; expected are alg HS256, kid any, iss any, aud any");
}

TEST_CASE("a report on an issuer or an audience names both") {
  auto const token = signed_token(R"({"alg":"HS256"})", R"({"iss":"https://a.example/","exp":1800000060})");
  auto const issuer = report(token, {.secret = secret, .issuer = "https://a.example"});
  CHECK_THAT(issuer, ContainsSubstring("another issuer") && ContainsSubstring("iss 'https://a.example/'") &&
                         ContainsSubstring("iss 'https://a.example',"));
  auto const audience = report(token, {.secret = secret, .audience = "deployd"});
  CHECK_THAT(audience, ContainsSubstring("another audience") && ContainsSubstring("aud none") &&
                           ContainsSubstring("aud 'deployd'"));
}

TEST_CASE("a report on a signature says whether the kid is known, and which are") {
  KeyFiles const files;
  auto const jwks = files.write("jwks", jwks_of({with(p256_key().jwk(), {{"kid", "new"}}),
                                                 with(rsa_key().jwk(), {{"kid", "r"}, {"alg", "PS256"}})}));
  auto const key = SigningKey::of("P-256");
  auto const with_kid = [&](std::string const& kid) {
    return report(
        jwt_with_header(key, Algorithm::es256, R"({"alg":"ES256","kid":")" + kid + "\"}", R"({"exp":1800000060})"),
        {.jwks_files = {jwks}});
  };
  CHECK_THAT(with_kid("old"), ContainsSubstring("kid is none of those that are configured") &&
                                  ContainsSubstring("kid 'old'") && ContainsSubstring("kid 'new', 'r'") &&
                                  ContainsSubstring("alg PS256 or ES256"));
  CHECK_THAT(with_kid("new"), ContainsSubstring("only the key with its kid was tried"));
  CHECK_THAT(report(jwt(key, "ES256", R"({"exp":1800000060})"), {}),
             ContainsSubstring("no key for JWTs is configured"));
}

TEST_CASE("a report on what is malformed says what") {
  auto const [token, want] = GENERATE(table<std::string, std::string>({
      {"x", "three parts"},
      {"dpd_tooshort", "dpd_ and 43 base64url characters"},
      {"e30=.e30.AA", "the header is not base64url"},
      {"e30.e!0.AA", "the payload is not base64url"},
      {"e30.e30.A", "the signature is not base64url"},
      {"e30.e30.AA", "the header has no alg"},
      {"AAAA.e30.AA", "the header is not a strict JSON object"},
      {signed_token(R"({"alg":"HS256","kid":7})", "{}"), "alg, kid, typ or cty"},
      {signed_token(R"({"alg":"HS256"})", "[]"), "the payload is not a strict JSON object"},
      {signed_token(R"({"alg":"HS256"})", R"({"exp":"1800000060"})"), "exp is not a date in seconds"},
      {signed_token(R"({"alg":"HS256"})", R"({"exp":1800000060,"sub":1.5})"), "sub is neither a string nor"},
      {signed_token(R"({"alg":"HS256"})", R"({"exp":1800000060,"aud":[1]})"), "aud is neither a string nor"},
  }));
  CAPTURE(token);
  CHECK_THAT(report(token), ContainsSubstring("the token is malformed: ") && ContainsSubstring(want));
}

TEST_CASE("a report is one short line of printable ASCII without the signature, whatever a stranger writes") {
  std::string const hostile = "\\u0000\\n\\u001b[31m\\u202e\xe2\x80\xae' \\\\ " + std::string(5000, 'k');
  std::string many = "\"a\"";
  for (int i = 0; i < 5000; ++i) many += ",\"aud\"";
  auto const payload = R"({"iss":")" + hostile + R"(","aud":[)" + many + R"(],"exp":-9e15,"nbf":9e15})";
  auto const stranger = SigningKey::hmac(std::string(32, 'x'));
  auto const token =
      jwt_with_header(stranger, Algorithm::hs256, R"({"alg":"HS256","kid":")" + hostile + "\"}", payload);
  auto const line = report(token);
  CAPTURE(line);
  CHECK(line.size() < 2000);
  CHECK(std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; }));
  CHECK_THAT(line, ContainsSubstring("kid '\\x00\\x0a\\x1b[31m\\xe2\\x80\\xae") && ContainsSubstring("\\' \\\\ kkk") &&
                       ContainsSubstring("and 4996 more"));
  CHECK(line.find(token.substr(token.rfind('.') + 1)) == std::string::npos);
}

TEST_CASE("parts of a token that are too long, or have too many members, are not looked at for a report") {
  auto const stranger = SigningKey::hmac(std::string(32, 'x'));
  CHECK_THAT(report(jwt(stranger, "HS256", R"({"iss":"a","x":")" + std::string(70000, 'x') + "\"}")),
             ContainsSubstring("alg 'HS256'") && !ContainsSubstring("iss 'a'"));
  std::string members = R"({"iss":"a")";
  for (int i = 0; i < 300; ++i) members += ",\"" + std::to_string(i) + "\":0";
  CHECK_THAT(report(jwt(stranger, "HS256", members + "}")), !ContainsSubstring("iss 'a'"));
}

TEST_CASE("a report on an API token names it, and when it expired") {
  deployd::storage::ApiToken const token{.id = 3, .name = "ci\n", .expires = noon - 90min, .revoked = true};
  CHECK(report_refusal(deployd::auth::Refusal::revoked, token, noon) == "the API token 3 'ci\\x0a' has been revoked");
  CHECK(report_refusal(deployd::auth::Refusal::expired, token, noon) ==
        "the API token 3 'ci\\x0a' has expired 1 h 30 min ago");
}

TEST_CASE("spans of time are told in their two largest units") {
  CHECK(in_units(0s) == "0 s");
  CHECK(in_units(59s) == "59 s");
  CHECK(in_units(61s) == "1 min 1 s");
  CHECK(in_units(1h) == "1 h");
  CHECK(in_units(25h) == "1 d 1 h");
  CHECK(in_units(std::chrono::hours(24 * 366)) == "1 y 1 d");
}

TEST_CASE("a text is cut where a line would become too long") {
  CHECK(in_quotes("") == "''");
  CHECK(in_quotes(std::string(100, 'a')) == "'" + std::string(100, 'a') + "'");
  CHECK(in_quotes(std::string(101, 'a')) == "'" + std::string(100, 'a') + "'... (101 bytes)");
}
