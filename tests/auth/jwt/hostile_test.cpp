// Tokens that an attacker, or a careless issuer, might send.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>

#include "auth/jwt/key_ring.hpp"
#include "tests/auth/checking.hpp"
#include "tests/auth/key_files.hpp"
#include "tests/auth/signing.hpp"
#include "tests/auth/stored_tokens.hpp"

namespace {

using namespace deployd::tests;
using deployd::auth::Algorithm;
using deployd::auth::Authenticator;
using deployd::auth::encode_base64url;
using deployd::auth::KeyRing;

std::string const secret = "a secret that is exactly 64 bytes long, so that it suits HS512..";
std::string const good_header = R"({"alg":"HS256"})";
std::string const good_payload = R"({"sub":"jane","exp":1800000060})";

struct Server {
  StoredTokens store{};
  Authenticator authenticator{KeyRing::load({.secret = secret}), store};

  std::string verdict(std::string const& token) { return deployd::tests::verdict(authenticator, "Bearer " + token); }
};

std::string signed_token(std::string const& header, std::string const& payload) {
  return jwt_with_header(SigningKey::hmac(secret), Algorithm::hs256, header, payload);
}

/// A good header with so many members in all.
std::string header_of_members(int count) {
  auto header = good_header;
  header.pop_back();
  for (int i = 1; i < count; ++i) header += ",\"m" + std::to_string(i) + "\":0";
  return header + '}';
}

/// A signature over segments as they stand, encoded well or not.
std::string signed_segments(std::string const& header, std::string const& payload) {
  auto const input = header + '.' + payload;
  return input + '.' + encode_base64url(SigningKey::hmac(secret).sign(Algorithm::hs256, input));
}

}  // namespace

TEST_CASE("a header that asks for what is not supported is refused, well signed as it is") {
  auto const [header, want] = GENERATE(table<std::string, std::string>({
      {R"({"alg":"none"})", "algorithm not allowed"},
      {R"({"alg":"None"})", "algorithm not allowed"},
      {R"({"alg":"NONE"})", "algorithm not allowed"},
      {R"({"alg":"nOnE"})", "algorithm not allowed"},
      {R"({"alg":""})", "algorithm not allowed"},
      {R"({"alg":"hs256"})", "algorithm not allowed"},
      {R"({"alg":"HS256 "})", "algorithm not allowed"},
      {R"({"alg":"HS256\u0000"})", "algorithm not allowed"},
      {R"({"alg":"HS1"})", "algorithm not allowed"},
      {R"({"alg":"RS256"})", "algorithm not allowed"},
      {R"({"alg":"HS512"})", "bad signature"},
      {R"({})", "malformed"},
      {R"({"typ":"JWT"})", "malformed"},
      {R"({"alg":null})", "malformed"},
      {R"({"alg":256})", "malformed"},
      {R"({"alg":["HS256"]})", "malformed"},
      {R"({"ALG":"HS256"})", "malformed"},
      {R"({"alg":"HS256","kid":7})", "malformed"},
      {R"({"alg":"HS256","kid":null})", "malformed"},
      {R"({"alg":"HS256","typ":1})", "malformed"},
      {R"({"alg":"HS256","cty":[]})", "malformed"},
      {R"({"alg":"HS256","crit":["exp"]})", "unknown critical extension"},
      {R"({"alg":"HS256","crit":["b64"],"b64":true})", "unknown critical extension"},
      {R"({"alg":"HS256","crit":[]})", "unknown critical extension"},
      {R"({"alg":"HS256","crit":"exp"})", "unknown critical extension"},
      {R"({"alg":"HS256","crit":null})", "unknown critical extension"},
      {R"({"alg":"HS256","alg":"HS256"})", "malformed"},
      {R"({"alg":"none","alg":"HS256"})", "malformed"},
      {R"({"alg":"HS256","\u0061lg":"none"})", "malformed"},
      {R"({"alg":"HS256","x":{"y":1,"y":2}})", "malformed"},
      {R"({"alg":"HS256"}{"alg":"HS256"})", "malformed"},
      {R"({"alg":"HS256"} x)", "malformed"},
      {R"(["HS256"])", "malformed"},
      {R"("HS256")", "malformed"},
      {"", "malformed"},
      {"{\"alg\":\"HS256\",\"x\":\"\xff\"}", "malformed"},
      {"{\"alg\":\"HS256\",\"x\":\"\xc3\x28\"}", "malformed"},
      {"\xef\xbb\xbf{\"alg\":\"HS256\"}", "malformed"},
      {std::string("{\"alg\":\"HS256\"}\0", 16), "malformed"},
      {R"({"alg":"HS256","x":)" + std::string(1000, '[') + std::string(1000, ']') + "}", "malformed"},
      {header_of_members(257), "malformed"},
  }));
  CAPTURE(header);
  CHECK(Server().verdict(signed_token(header, good_payload)) == want);
}

TEST_CASE("members of the header that mean nothing here are let be") {
  std::string const header =
      GENERATE(as<std::string>{}, R"({"alg":"HS256","typ":"JWT"})", R"({"typ":"at+jwt","alg":"HS256"})",
               R"({"alg":"HS256","typ":"anything"})", R"({"alg":"HS256","b64":true,"zip":1})",
               R"({"alg":"HS256","kid":"unknown"})", " {\"alg\" : \"HS256\"}\r\n",
               R"({"alg":"HS256","jku":"https://tenant.authentication.example.com/token_keys"})",
               R"({"alg":"HS256","jku":7,"x5u":["https://example.com/cert"],"x5t":"abc","x5t#S256":null})",
               R"({"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}})", R"({"alg":"HS256","jwk":null})",
               R"({"alg":"HS256","x5c":[")" + std::string(6000, 'A') + R"(","AAAA"]})", header_of_members(256));
  CAPTURE(header);
  CHECK(Server().verdict(signed_token(header, good_payload)) == "good: jane");
}

TEST_CASE("a token that is not three segments of strict base64url is malformed") {
  auto const header = encode_base64url(good_header);    // 20 digits, no spare bits
  auto const payload = encode_base64url(good_payload);  // 42 digits, two spare bits
  auto const good = signed_segments(header, payload);
  auto const signature = good.substr(good.rfind('.') + 1);
  Server server;
  REQUIRE(server.verdict(good) == "good: jane");
  REQUIRE(payload.size() % 4 == 2);

  auto spare = payload;
  spare.back() = static_cast<char>(spare.back() + 1);
  auto const token = GENERATE_COPY(
      std::string("a"), std::string("."), std::string(".."), header, header + '.' + payload,
      "." + payload + "." + signature, good + ".", good + "." + signature, good + ".." + signature, "." + good,
      good + "=", header + "." + signed_segments(header, payload), signed_segments(header + "=", payload),
      signed_segments(header, payload + "=="), signed_segments(header, payload + "="), signed_segments(header, spare),
      signed_segments(header + "A", payload), signed_segments(header, payload + "A"),
      header + '.' + payload + '.' + signature.substr(1) + "+", header + '.' + payload + '.' + "~" + signature,
      signed_segments(header, payload.substr(0, 10) + "/" + payload.substr(11)), std::string("...."),
      std::string(200, '.'), std::string(9000, 'A'));
  CAPTURE(token);
  CHECK(server.verdict(token) == "malformed");
}

TEST_CASE("the last digit of a signature has no second form") {
  Server server;
  auto const good = signed_token(good_header, good_payload);
  auto other = good;
  other.back() = static_cast<char>(other.back() + 1);
  REQUIRE(server.verdict(good) == "good: jane");
  CHECK(server.verdict(other) == "malformed");
}

TEST_CASE("bytes that no token may hold are malformed") {
  Server server;
  auto const good = signed_token(good_header, good_payload);
  for (auto const& stray : {std::string("\0", 1), std::string("\n"), std::string("\r\n"), std::string(" "),
                            std::string("\t"), std::string("\xc3\xa9"), std::string("%3D")}) {
    for (auto const at : {std::size_t{1}, good.find('.'), good.size() / 2, good.size()}) {
      auto token = good;
      token.insert(at, stray);
      CAPTURE(token);
      CHECK(server.verdict(token) == "malformed");
    }
  }
}

TEST_CASE("an empty signature is bad, and one over other text too") {
  Server server;
  auto const good = signed_token(good_header, good_payload);
  CHECK(server.verdict(good.substr(0, good.rfind('.') + 1)) == "bad signature");
  auto const other = signed_token(good_header, R"({"sub":"root","exp":1800000060})");
  CHECK(server.verdict(other.substr(0, other.rfind('.')) + good.substr(good.rfind('.'))) == "bad signature");
}

TEST_CASE("a key in the header is never checked with, nor does it choose among the configured ones") {
  auto const key = SigningKey::of("P-256");
  auto const own = with(key.jwk(), {{"kid", "own"}});
  for (std::string const kid : {"", R"(,"kid":"own")", R"(,"kid":"configured")"}) {
    auto const header = R"({"alg":"ES256","jwk":)" + boost::json::serialize(own) + kid + "}";
    CAPTURE(header);
    auto const token = jwt_with_header(key, Algorithm::es256, header, good_payload);
    CHECK(Server().verdict(token) == "algorithm not allowed");
    KeyFiles const files;
    StoredTokens store;
    auto const jwks = files.write("jwks", jwks_of({with(p256_key().jwk(), {{"kid", "configured"}})}));
    Authenticator authenticator(KeyRing::load({.jwks_files = {jwks}}), store);
    CHECK(deployd::tests::verdict(authenticator, "Bearer " + token) == "bad signature");
    auto const good = jwt_with_header(p256_key(), Algorithm::es256, header, good_payload);
    CHECK(deployd::tests::verdict(authenticator, "Bearer " + good) == "good: jane");
  }
}

TEST_CASE("a token of any length is read: what may be sent decides") {
  auto const length = GENERATE(as<std::size_t>{}, 100, 6000, 8192, 20000, 100000);
  CAPTURE(length);
  auto const groups = R"({"sub":"jane","exp":1800000060,"groups":")" + std::string(length, 'x') + "\"}";
  Server server;
  auto const token = signed_token(good_header, groups);
  CHECK(server.verdict(token) == "good: jane");
  CHECK(recalled(server.authenticator, "Bearer " + token) == "good: jane");
  CHECK(server.verdict(token + "A") == "bad signature");
}

TEST_CASE("the payload of a token is not looked at before its signature is good") {
  Server server;
  auto const forged = jwt_with_header(SigningKey::hmac(std::string(32, 'x')), Algorithm::hs256, good_header, "no JSON");
  CHECK(server.verdict(forged) == "bad signature");
}

TEST_CASE("a payload that is no strict JSON object with the right types is malformed") {
  std::string const payload = GENERATE(
      as<std::string>{}, "", "{", "[]", "null", "jane", R"({"exp":1800000060,"exp":1800000060})",
      R"({"exp":1700000000,"exp":1800000060})", R"({"exp":1800000060,"\u0065xp":1})",
      R"({"exp":1800000060,"x":{"a":1,"a":1}})", R"({"exp":1800000060,"x":[{"a":1},{"a":1,"b":1,"a":1}]})",
      R"({"exp":1800000060} {})", R"({"exp":"1800000060"})", R"({"exp":null})", R"({"exp":true})",
      R"({"exp":[1800000060]})", R"({"exp":{}})", R"({"exp":1e300})", R"({"exp":1e400})", R"({"exp":-1e300})",
      R"({"exp":9007199254740993})", R"({"exp":9223372036854775807})", R"({"exp":-9223372036854775808})",
      R"({"exp":18446744073709551615})", R"({"exp":99999999999999999999999999})", R"({"exp":NaN})",
      R"({"exp":Infinity})", R"({"exp":0x6B49D23C})", R"({"exp":01800000060})", R"({"exp":1800000060,"nbf":"0"})",
      R"({"exp":1800000060,"nbf":null})", R"({"exp":1800000060,"nbf":-1e300})", R"({"exp":1800000060,"iat":"0"})",
      R"({"exp":1800000060,"iat":false})", R"({"exp":1800000060,"sub":null})", R"({"exp":1800000060,"sub":1.5})",
      R"({"exp":1800000060,"sub":1e300})", R"({"exp":1800000060,"sub":true})",
      R"({"exp":1800000060,"sub":18446744073709551616})", R"({"exp":1800000060,"sub":[7]})",
      R"({"exp":1800000060,"iss":["me"]})", R"({"exp":1800000060,"jti":1})", R"({"exp":1800000060,"aud":1})",
      R"({"exp":1800000060,"aud":{}})", R"({"exp":1800000060,"aud":["a",1]})", R"({"exp":1800000060,"aud":[["a"]]})",
      R"({"exp":1800000060,"aud":null})", "{\"exp\":1800000060,\"sub\":\"\xff\"}",
      "{\"exp\":1800000060,\"sub\":\"\xed\xa0\x80\"}", R"({"exp":1800000060,"sub":"\ud800"})",
      R"({"exp":1800000060,"x":)" + std::string(2000, '[') + std::string(2000, ']') + "}");
  CAPTURE(payload);
  CHECK(Server().verdict(signed_token(good_header, payload)) == "malformed");
}

TEST_CASE("a refused token is remembered by nobody") {
  Server server;
  auto const forged = "Bearer " + jwt(SigningKey::hmac(std::string(32, 'x')), "HS256", good_payload);
  CHECK(deployd::tests::verdict(server.authenticator, forged) == "bad signature");
  CHECK(recalled(server.authenticator, forged) == "nothing");
}
