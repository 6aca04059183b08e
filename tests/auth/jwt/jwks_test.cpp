#include "auth/jwt/jwks.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <string>

#include "auth/key_error.hpp"
#include "tests/auth/key_files.hpp"
#include "tests/auth/signing.hpp"

namespace {

using namespace deployd::tests;
using boost::json::object;
using Catch::Matchers::Message;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::StartsWith;
using deployd::auth::encode_base64url;
using deployd::auth::KeyError;
using deployd::auth::KeyKind;
using deployd::auth::read_jwks;

std::size_t keys_in(std::initializer_list<object> keys) {
  return read_jwks(jwks_of(keys), "f").size();
}

/// The bytes of a member with one of them changed, in base64url.
std::string changed(object const& jwk, char const* member) {
  auto bytes = deployd::auth::decode_base64url(jwk.at(member).as_string()).value();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  return encode_base64url(bytes);
}

std::string shortened(object const& jwk, char const* member) {
  auto bytes = deployd::auth::decode_base64url(jwk.at(member).as_string()).value();
  return encode_base64url(bytes.substr(1));
}

std::string lengthened(object const& jwk, char const* member) {
  auto bytes = deployd::auth::decode_base64url(jwk.at(member).as_string()).value();
  return encode_base64url('\0' + bytes);
}

object without(object jwk, char const* member) {
  jwk.erase(member);
  return jwk;
}

}  // namespace

TEST_CASE("a set of each kind of key is read, with kid and alg") {
  auto const keys =
      read_jwks(jwks_of({with(rsa_key().jwk(), {{"kid", "r"}, {"alg", "PS256"}, {"use", "sig"}}), p256_key().jwk(),
                         SigningKey::of("P-384").jwk(), SigningKey::of("P-521").jwk(), SigningKey::of("ED25519").jwk(),
                         SigningKey::of("ED448").jwk(), SigningKey::hmac(std::string(32, 's')).jwk()}),
                "f");
  REQUIRE(keys.size() == 7);
  CHECK(keys[0].kind == KeyKind::rsa);
  CHECK(keys[0].kid == "r");
  CHECK(keys[0].only == deployd::auth::Algorithm::ps256);
  CHECK(keys[1].kind == KeyKind::p256);
  CHECK_FALSE(keys[1].kid.has_value());
  CHECK_FALSE(keys[1].only.has_value());
  CHECK(keys[2].kind == KeyKind::p384);
  CHECK(keys[3].kind == KeyKind::p521);
  CHECK(keys[4].kind == KeyKind::ed25519);
  CHECK(keys[5].kind == KeyKind::ed448);
  CHECK(keys[6].kind == KeyKind::hmac);
}

TEST_CASE("members of a set or a key that mean nothing here are let be") {
  CHECK(read_jwks(R"({"keys":[],"x":1})", "f").empty());
  CHECK(keys_in({with(rsa_key().jwk(), {{"x5c", boost::json::array{"AAAA"}}, {"x5t", "A"}, {"ext", true}})}) == 1);
}

TEST_CASE("of a private key the public half is used") {
  CHECK(keys_in({with(p256_key().jwk(), {{"d", encode_base64url(std::string(32, 'd'))}})}) == 1);
}

TEST_CASE("entries of unknown kind or other purpose are passed over") {
  auto const jwk = GENERATE(object{{"kty", "PQC"}}, object{{"kty", "rsa"}}, object{{"kty", "EC"}, {"crv", "secp256k1"}},
                            object{{"kty", "EC"}, {"crv", "P-256K"}}, object{{"kty", "OKP"}, {"crv", "X25519"}},
                            object{{"kty", "RSA"}, {"use", "enc"}}, object{{"kty", "RSA"}, {"use", "other"}},
                            object{{"kty", "RSA"}, {"key_ops", boost::json::array{"encrypt"}}},
                            object{{"kty", "RSA"}, {"key_ops", boost::json::array{}}},
                            object{{"kty", "RSA"}, {"alg", "RSA-OAEP-256"}}, object{{"kty", "EC"}, {"alg", "ES256K"}});
  CAPTURE(jwk);
  auto const keys = read_jwks(jwks_of({jwk, with(p256_key().jwk(), {{"kid", "k"}})}), "f");
  REQUIRE(keys.size() == 1);
  CHECK(keys[0].kid == "k");
}

TEST_CASE("a key whose operations include verify is used") {
  CHECK(keys_in({with(p256_key().jwk(), {{"key_ops", boost::json::array{"sign", "verify"}}, {"use", "sig"}})}) == 1);
}

TEST_CASE("a broken entry refuses the set, in a line that names file and entry") {
  auto const rsa = rsa_key().jwk();
  auto const ec = p256_key().jwk();
  auto const p521 = SigningKey::of("P-521").jwk();
  auto const ed = SigningKey::of("ED25519").jwk();
  static auto const weak = SigningKey::rsa(2047).jwk();  // once: slow to make
  auto const oct = SigningKey::hmac(std::string(32, 's')).jwk();
  auto const jwk = GENERATE_COPY(
      without(rsa, "n"), without(rsa, "e"), without(rsa, "kty"), without(ec, "x"), without(ec, "y"), without(ec, "crv"),
      without(ed, "x"), without(ed, "crv"), without(oct, "k"), with(rsa, {{"n", 7}}), with(rsa, {{"kty", 7}}),
      with(rsa, {{"n", "AA="}}), with(rsa, {{"n", "A+/B"}}), with(rsa, {{"n", ""}}), with(rsa, {{"e", ""}}),
      with(rsa, {{"n", lengthened(rsa, "n")}}), with(rsa, {{"e", "AAEAAQ"}}), with(rsa, {{"e", "AQ"}}),
      with(rsa, {{"e", "Ag"}}), with(rsa, {{"n", changed(rsa, "n")}}), weak, with(ec, {{"x", changed(ec, "x")}}),
      with(ec, {{"y", changed(ec, "y")}}), with(ec, {{"x", shortened(ec, "x")}}),
      with(ec, {{"x", lengthened(ec, "x")}}),
      with(ec, {{"x", encode_base64url(std::string(32, '\0'))}, {"y", encode_base64url(std::string(32, '\0'))}}),
      with(ec, {{"x", encode_base64url(std::string(32, '\xff'))}}), with(ec, {{"crv", "P-384"}}),
      with(ec, {{"crv", 256}}), with(p521, {{"x", shortened(p521, "x")}}), with(ed, {{"x", shortened(ed, "x")}}),
      with(ed, {{"crv", "Ed448"}}), with(oct, {{"k", encode_base64url(std::string(31, 's'))}}), with(oct, {{"k", ""}}),
      with(rsa, {{"alg", "ES256"}}), with(rsa, {{"alg", "HS256"}}), with(ec, {{"alg", "ES384"}}),
      with(ec, {{"alg", "EdDSA"}}), with(ed, {{"alg", "ES256"}}), with(oct, {{"alg", "RS256"}}),
      with(oct, {{"alg", "HS384"}}), with(oct, {{"alg", "HS512"}}), with(rsa, {{"alg", 256}}), with(rsa, {{"use", 1}}),
      with(rsa, {{"key_ops", "verify"}}), with(rsa, {{"key_ops", boost::json::array{1}}}));
  CAPTURE(jwk);
  CHECK_THROWS_MATCHES(read_jwks(jwks_of({ec, with(jwk, {{"kid", "bad\none"}})}), "keys.json"), KeyError,
                       MessageMatches(StartsWith("keys.json: key 1 (kid 'bad?one'): ")));
  CHECK_THROWS_MATCHES(read_jwks(jwks_of({jwk}), "keys.json"), KeyError,
                       MessageMatches(StartsWith("keys.json: key 0: ")));
}

TEST_CASE("an entry that is no object or has a kid that is no string refuses the set") {
  CHECK_THROWS_AS(read_jwks(R"({"keys":[7]})", "f"), KeyError);
  CHECK_THROWS_AS(keys_in({with(rsa_key().jwk(), {{"kid", 7}})}), KeyError);
}

TEST_CASE("what is no JSON Web Key Set is refused") {
  std::string const text =
      GENERATE(as<std::string>{}, "", "{", "[]", "{}", "null", R"({"keys":{}})", R"({"keys":null})", R"({"keys":[]} x)",
               R"({"keys":[],"keys":[]})", R"({"keys":[{"kty":"x","kty":"y"}]})", "{\"keys\":[],\"x\":\"\xff\"}",
               R"({"kty":"oct","k":"AAAA"})", "-----BEGIN PUBLIC KEY-----");
  CAPTURE(text);
  CHECK_THROWS_MATCHES(read_jwks(text, "keys.json"), KeyError, MessageMatches(StartsWith("keys.json: ")));
}

TEST_CASE("an error line does not show a secret") {
  try {
    read_jwks(R"({"keys":[{"kty":"oct","k":"c2hvcnQgc2VjcmV0"}]})", "keys.json");
    FAIL("was read");
  } catch (KeyError const& error) {
    CHECK(std::string(error.what()) == "keys.json: key 0: the secret has 12 bytes, and must have at least 32");
  }
}
