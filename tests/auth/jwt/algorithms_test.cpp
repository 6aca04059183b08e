// Which key accepts which algorithm.
#include <openssl/bn.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "auth/jwt/jwks.hpp"
#include "auth/jwt/key_ring.hpp"
#include "auth/jwt/verifier.hpp"
#include "tests/auth/checking.hpp"
#include "tests/auth/key_files.hpp"
#include "tests/auth/signing.hpp"
#include "tests/auth/stored_tokens.hpp"

namespace {

using namespace deployd::tests;
using deployd::auth::Algorithm;
using deployd::auth::Authenticator;
using deployd::auth::KeyRing;
using deployd::auth::KeyRingOptions;

constexpr std::array all_algorithms{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512",   "PS256", "PS384",
                                    "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "Ed448"};

std::string const payload = R"({"sub":"jane","exp":1800000060})";

/// A server that is configured with the JWKs of a set.
struct Server {
  KeyFiles files{};
  StoredTokens store{};
  Authenticator authenticator;

  explicit Server(std::initializer_list<boost::json::object> keys)
      : authenticator(KeyRing::load({.jwks_files = {files.write("jwks.json", jwks_of(keys))}}), store) {}
  explicit Server(KeyRingOptions const& options) : authenticator(KeyRing::load(options), store) {}

  std::string verdict(std::string const& token) { return deployd::tests::verdict(authenticator, "Bearer " + token); }
};

struct Case {
  std::string name;
  SigningKey key;
  std::vector<std::string> algorithms;  // that suit it
};

std::vector<Case> cases() {
  return {{"32 bytes", SigningKey::hmac(std::string(32, 'k')), {"HS256"}},
          {"47 bytes", SigningKey::hmac(std::string(47, 'k')), {"HS256"}},
          {"48 bytes", SigningKey::hmac(std::string(48, 'k')), {"HS256", "HS384"}},
          {"63 bytes", SigningKey::hmac(std::string(63, 'k')), {"HS256", "HS384"}},
          {"64 bytes", SigningKey::hmac(std::string(64, 'k')), {"HS256", "HS384", "HS512"}},
          {"RSA", rsa_key(), {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}},
          {"P-256", p256_key(), {"ES256"}},
          {"P-384", SigningKey::of("P-384"), {"ES384"}},
          {"P-521", SigningKey::of("P-521"), {"ES512"}},
          {"Ed25519", SigningKey::of("ED25519"), {"EdDSA", "Ed25519"}},
          {"Ed448", SigningKey::of("ED448"), {"EdDSA", "Ed448"}}};
}

}  // namespace

TEST_CASE("a key accepts the algorithms that suit it and no other") {
  for (auto const& [name, key, suited] : cases()) {
    Server server({key.jwk()});
    for (auto const* const algorithm : all_algorithms) {
      CAPTURE(name, algorithm);
      bool const suits = std::ranges::find(suited, algorithm) != suited.end();
      // For an algorithm that the key cannot do, a signature by one that it can.
      auto const token = jwt_with_header(key, *deployd::auth::algorithm_of(suits ? algorithm : suited[0]),
                                         R"({"alg":")" + std::string(algorithm) + R"("})", payload);
      CHECK(server.verdict(token) == (suits ? "good: jane" : "algorithm not allowed"));
    }
  }
}

TEST_CASE("a public key from PEM checks as the same key from a JWK does") {
  for (auto const& [name, key, suited] : cases()) {
    if (suited[0].starts_with("HS")) continue;
    CAPTURE(name);
    KeyFiles const files;
    Server server(KeyRingOptions{.public_key_files = {files.write("key.pem", key.public_pem())}});
    for (auto const& algorithm : suited) CHECK(server.verdict(jwt(key, algorithm, payload)) == "good: jane");
    CHECK(server.verdict(jwt(SigningKey::hmac(std::string(64, 'k')), "HS256", payload)) == "algorithm not allowed");
  }
}

TEST_CASE("the alg of a JWK restricts it to this algorithm") {
  Server server({with(rsa_key().jwk(), {{"alg", "PS384"}})});
  CHECK(server.verdict(jwt(rsa_key(), "PS384", payload)) == "good: jane");
  for (auto const* const other : {"PS256", "PS512", "RS256", "RS384", "RS512"}) {
    CAPTURE(other);
    CHECK(server.verdict(jwt(rsa_key(), other, payload)) == "algorithm not allowed");
  }
}

TEST_CASE("a JWK of EdDSA by one of its names is good for tokens with the others, of its own curve") {
  for (auto const& [curve, name, other] : {std::tuple("ED25519", "Ed25519", "Ed448"), {"ED448", "Ed448", "Ed25519"}}) {
    auto const key = SigningKey::of(curve);
    for (auto const* const alg : {"EdDSA", name}) {
      CAPTURE(curve, alg);
      Server server({with(key.jwk(), {{"alg", alg}})});
      CHECK(server.verdict(jwt(key, "EdDSA", payload)) == "good: jane");
      CHECK(server.verdict(jwt(key, name, payload)) == "good: jane");
      CHECK(server.verdict(jwt(key, other, payload)) == "algorithm not allowed");
    }
    CHECK_THROWS_AS(Server({with(key.jwk(), {{"alg", other}})}), deployd::auth::KeyError);
  }
}

TEST_CASE("a public key is never taken for an HMAC secret") {
  KeyFiles const files;
  auto const pem = rsa_key().public_pem();
  auto const file = files.write("key.pem", pem);
  auto const n = deployd::auth::decode_base64url(rsa_key().jwk().at("n").as_string());
  for (auto const& secret : {pem, pem.substr(0, pem.size() - 1), *n}) {
    for (auto const* const algorithm : {"HS256", "HS384", "HS512"}) {
      auto const forged = jwt(SigningKey::hmac(secret), algorithm, payload);
      CHECK(Server(KeyRingOptions{.public_key_files = {file}}).verdict(forged) == "algorithm not allowed");
      CHECK(Server(KeyRingOptions{.secret = std::string(64, 's'), .public_key_files = {file}}).verdict(forged) ==
            "bad signature");
    }
  }
}

TEST_CASE("a signature by another key of the same kind is bad") {
  Server server({rsa_key().jwk(), p256_key().jwk()});
  CHECK(server.verdict(jwt(other_rsa_key(), "RS256", payload)) == "bad signature");
  CHECK(server.verdict(jwt(SigningKey::of("P-256"), "ES256", payload)) == "bad signature");
}

TEST_CASE("a signature for one algorithm of a key is bad for another") {
  Server server({rsa_key().jwk()});
  auto const token = jwt_with_header(rsa_key(), Algorithm::rs256, R"({"alg":"PS256"})", payload);
  CHECK(server.verdict(token) == "bad signature");
  CHECK(server.verdict(jwt_with_header(rsa_key(), Algorithm::rs256, R"({"alg":"RS512"})", payload)) == "bad signature");
}

TEST_CASE("every key that suits is tried for a token without kid") {
  auto const third = SigningKey::of("P-256");
  Server server({SigningKey::of("P-256").jwk(), rsa_key().jwk(), p256_key().jwk(), third.jwk()});
  CHECK(server.verdict(jwt(third, "ES256", payload)) == "good: jane");
  CHECK(server.verdict(jwt(p256_key(), "ES256", payload)) == "good: jane");
}

TEST_CASE("a kid that names a configured JWK selects it") {
  Server server({with(p256_key().jwk(), {{"kid", "curve"}}), with(rsa_key().jwk(), {{"kid", "rsa"}}),
                 with(other_rsa_key().jwk(), {{"kid", "other"}})});
  auto const signed_with = [](SigningKey const& key, Algorithm algorithm, std::string const& header) {
    return jwt_with_header(key, algorithm, header, payload);
  };
  CHECK(server.verdict(signed_with(rsa_key(), Algorithm::rs256, R"({"alg":"RS256","kid":"rsa"})")) == "good: jane");
  CHECK(server.verdict(signed_with(rsa_key(), Algorithm::rs256, R"({"alg":"RS256","kid":"other"})")) ==
        "bad signature");
  CHECK(server.verdict(signed_with(rsa_key(), Algorithm::rs256, R"({"alg":"RS256","kid":"curve"})")) ==
        "algorithm not allowed");
  // One that names none leaves the choice open.
  CHECK(server.verdict(signed_with(rsa_key(), Algorithm::rs256, R"({"alg":"RS256","kid":"unheard of"})")) ==
        "good: jane");
  CHECK(server.verdict(signed_with(rsa_key(), Algorithm::rs256, R"({"alg":"RS256","kid":""})")) == "good: jane");
}

TEST_CASE("two JWKs with one kid are both candidates for it") {
  Server server({with(p256_key().jwk(), {{"kid", "k"}}), with(rsa_key().jwk(), {{"kid", "k"}}),
                 with(other_rsa_key().jwk(), {{"kid", "k"}})});
  auto const header = [](std::string const& alg) { return R"({"kid":"k","alg":")" + alg + "\"}"; };
  CHECK(server.verdict(jwt_with_header(p256_key(), Algorithm::es256, header("ES256"), payload)) == "good: jane");
  CHECK(server.verdict(jwt_with_header(other_rsa_key(), Algorithm::rs256, header("RS256"), payload)) == "good: jane");
}

TEST_CASE("a kid does not turn another key's kind into a secret") {
  auto const secret = std::string(64, 's');
  Server server({with(rsa_key().jwk(), {{"kid", "rsa"}}), with(SigningKey::hmac(secret).jwk(), {{"kid", "hmac"}})});
  auto const forged =
      jwt_with_header(SigningKey::hmac(secret), Algorithm::hs256, R"({"alg":"HS256","kid":"rsa"})", payload);
  CHECK(server.verdict(forged) == "algorithm not allowed");
}

TEST_CASE("a forged token costs so many signature checks and no more") {
  KeyFiles const files;
  boost::json::array keys;
  std::vector<SigningKey> signers;
  for (std::size_t i = 0; i <= deployd::auth::max_keys_tried; ++i) {
    signers.push_back(SigningKey::of("P-256"));
    keys.push_back(with(signers.back().jwk(), {{"kid", std::to_string(i)}}));
  }
  auto const text = boost::json::serialize(boost::json::object{{"keys", keys}});
  Server server(KeyRingOptions{.jwks_files = {files.write("jwks.json", text)}});
  CHECK(server.verdict(jwt(signers[deployd::auth::max_keys_tried - 1], "ES256", payload)) == "good: jane");
  CHECK(server.verdict(jwt(signers.back(), "ES256", payload)) == "bad signature");
  CHECK(server.verdict(jwt_with_header(signers.back(), Algorithm::es256, R"({"alg":"ES256","kid":"16"})", payload)) ==
        "good: jane");
}

TEST_CASE("without keys no JWT is good") {
  Server server(KeyRingOptions{});
  CHECK(server.verdict(jwt(SigningKey::hmac(std::string(32, 's')), "HS256", payload)) == "unknown key");
}

TEST_CASE("an ECDSA signature is r and s in fixed length and nothing else") {
  auto const [curve, algorithm, name, bytes] =
      GENERATE(table<std::string, Algorithm, std::string, std::size_t>({{"P-256", Algorithm::es256, "ES256", 32},
                                                                        {"P-384", Algorithm::es384, "ES384", 48},
                                                                        {"P-521", Algorithm::es512, "ES512", 66}}));
  auto const key = SigningKey::of(curve);
  Server server({key.jwk()});
  auto const input =
      deployd::auth::encode_base64url("{\"alg\":\"" + name + "\"}") + '.' + deployd::auth::encode_base64url(payload);
  auto const with_signature = [&](std::string const& signature) {
    return server.verdict(input + '.' + deployd::auth::encode_base64url(signature));
  };
  auto const good = key.sign(algorithm, input);
  auto const r = good.substr(0, bytes);
  auto const s = good.substr(bytes);
  std::string const zero(bytes, '\0');
  CAPTURE(curve);
  CHECK(with_signature(good) == "good: jane");
  CHECK(with_signature("") == "bad signature");
  CHECK(with_signature(good.substr(0, good.size() - 1)) == "bad signature");
  CHECK(with_signature(good.substr(1)) == "bad signature");
  CHECK(with_signature(good + '\0') == "bad signature");
  CHECK(with_signature('\0' + good) == "bad signature");
  CHECK(with_signature('\0' + r + '\0' + s) == "bad signature");
  CHECK(with_signature(key.sign_der(algorithm, input)) == "bad signature");
  CHECK(with_signature(zero + zero) == "bad signature");
  CHECK(with_signature(zero + s) == "bad signature");
  CHECK(with_signature(r + zero) == "bad signature");
  CHECK(with_signature(s + r) == "bad signature");
  CHECK(with_signature(std::string(2 * bytes, '\xff')) == "bad signature");
  CHECK(with_signature(good) == "good: jane");
}

TEST_CASE("signatures of HMAC, RSA and EdDSA have their one length") {
  auto const edwards = SigningKey::of("ED25519");
  auto const secret = SigningKey::hmac(std::string(64, 's'));
  struct Row {
    SigningKey const& key;
    Algorithm algorithm;
    std::string header;
  };
  for (auto const& [key, algorithm, header] :
       {Row{rsa_key(), Algorithm::rs256, R"({"alg":"RS256"})"}, Row{rsa_key(), Algorithm::ps256, R"({"alg":"PS256"})"},
        Row{edwards, Algorithm::eddsa, R"({"alg":"EdDSA"})"}, Row{secret, Algorithm::hs512, R"({"alg":"HS512"})"}}) {
    CAPTURE(header);
    Server server({key.jwk()});
    auto const input = deployd::auth::encode_base64url(header) + '.' + deployd::auth::encode_base64url(payload);
    auto const good = key.sign(algorithm, input);
    auto const with_signature = [&](std::string const& signature) {
      return server.verdict(input + '.' + deployd::auth::encode_base64url(signature));
    };
    CHECK(with_signature(good) == "good: jane");
    CHECK(with_signature("") == "bad signature");
    CHECK(with_signature(good.substr(0, good.size() - 1)) == "bad signature");
    CHECK(with_signature(good.substr(0, 32).substr(0, good.size() - 1)) == "bad signature");
    CHECK(with_signature(good + '\0') == "bad signature");
    CHECK(with_signature('\0' + good) == "bad signature");
    CHECK(with_signature(std::string(good.size(), '\0')) == "bad signature");
    CHECK(with_signature(std::string(good.size(), '\xff')) == "bad signature");
  }
}
