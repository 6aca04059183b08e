#include "auth/jwt/pem.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <string>

#include "auth/key_error.hpp"
#include "tests/auth/signing.hpp"

namespace {

using namespace deployd::tests;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::StartsWith;
using deployd::auth::KeyError;
using deployd::auth::KeyKind;
using deployd::auth::read_pem;

}  // namespace

TEST_CASE("all keys of a PEM file are read, with text around them") {
  auto const keys = read_pem("Issuer: us\n" + rsa_key().public_pem() + "\nsome text\n" + p256_key().public_pem() +
                                 SigningKey::of("ED25519").public_pem() + "and more",
                             "f");
  REQUIRE(keys.size() == 3);
  CHECK(keys[0].kind == KeyKind::rsa);
  CHECK(keys[1].kind == KeyKind::p256);
  CHECK(keys[2].kind == KeyKind::ed25519);
}

TEST_CASE("a PKCS #1 public key and the key of a certificate are read") {
  CHECK(read_pem(rsa_key().rsa_public_pem(), "f").at(0).kind == KeyKind::rsa);
  CHECK(read_pem(p256_key().certificate_pem(), "f").at(0).kind == KeyKind::p256);
}

TEST_CASE("a private key in a PEM file is refused in a line that says so") {
  auto const text = GENERATE(rsa_key().private_pem(), p256_key().private_pem(),
                             p256_key().public_pem() + SigningKey::of("ED25519").private_pem());
  CHECK_THROWS_MATCHES(read_pem(text, "key.pem"), KeyError,
                       MessageMatches(StartsWith("key.pem: contains a private key") && !ContainsSubstring("MI")));
}

TEST_CASE("weak keys and keys of other kinds are refused") {
  auto const text = GENERATE(SigningKey::rsa(1024).public_pem(), SigningKey::rsa(2047).public_pem(),
                             SigningKey::of("secp256k1").public_pem(), SigningKey::of("P-224").public_pem(),
                             SigningKey::of("X25519").public_pem());
  CHECK_THROWS_MATCHES(read_pem(text, "key.pem"), KeyError, MessageMatches(StartsWith("key.pem: the ")));
}

TEST_CASE("what is no PEM of public keys is refused") {
  auto const pem = p256_key().public_pem();
  auto const end = pem.find("-----END");
  auto const text = GENERATE_COPY(
      std::string("junk"), std::string("\0\1\2", 3), std::string("-----BEGIN PUBLIC KEY-----\n"), pem.substr(0, end),
      pem.substr(0, pem.size() / 2), "x" + pem, std::string("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"),
      std::string("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
      std::string("-----BEGIN PUBLIC KEY-----\n$$$$\n-----END PUBLIC KEY-----\n"),
      std::string("-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n"),
      std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
      std::string("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"),
      pem + pem.substr(0, end), pem + "-----BEGIN X-----\nAAAA\n-----END X-----\n");
  CAPTURE(text);
  CHECK_THROWS_MATCHES(read_pem(text, "key.pem"), KeyError, MessageMatches(StartsWith("key.pem: ")));
}
