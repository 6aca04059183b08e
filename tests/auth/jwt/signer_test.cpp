#include "auth/jwt/signer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

#include "auth/jwt/key_ring.hpp"
#include "tests/auth/checking.hpp"
#include "tests/auth/stored_tokens.hpp"

using namespace std::chrono_literals;
using deployd::auth::Authenticator;
using deployd::auth::Claims;
using deployd::auth::KeyError;
using deployd::auth::KeyRing;
using deployd::auth::sign_hs256;
using deployd::tests::noon;
using deployd::tests::StoredTokens;
using deployd::tests::verdict;

namespace {

std::string const secret = "a secret of 32 bytes, just so...";

Claims claims_of(std::string subject) {
  return {.subject = std::move(subject), .issued_at = noon, .expires = noon + 1h, .issuer = {}, .audience = {}};
}

}  // namespace

TEST_CASE("a signed token is good for the server with the same secret, until it expires") {
  StoredTokens store;
  Authenticator authenticator(KeyRing::load({.secret = secret, .leeway = 0s}), store);
  auto const credentials = "Bearer " + sign_hs256(claims_of("jane"), secret);
  CHECK(verdict(authenticator, credentials, noon) == "good: jane");
  CHECK(verdict(authenticator, credentials, noon + 1h - 1ms) == "good: jane");
  CHECK(verdict(authenticator, credentials, noon + 1h) == "expired");
}

TEST_CASE("a signed token is no good for a server with another secret") {
  StoredTokens store;
  Authenticator authenticator(KeyRing::load({.secret = secret + "!"}), store);
  CHECK(verdict(authenticator, "Bearer " + sign_hs256(claims_of("jane"), secret)) == "bad signature");
}

TEST_CASE("a signed token carries issuer and audience") {
  StoredTokens store;
  Authenticator authenticator(KeyRing::load({.secret = secret, .issuer = "me", .audience = "you"}), store);
  auto claims = claims_of("jane");
  CHECK(verdict(authenticator, "Bearer " + sign_hs256(claims, secret)) == "wrong issuer");
  claims.issuer = "me";
  CHECK(verdict(authenticator, "Bearer " + sign_hs256(claims, secret)) == "wrong audience");
  claims.audience = "you";
  CHECK(verdict(authenticator, "Bearer " + sign_hs256(claims, secret)) == "good: jane");
}

TEST_CASE("a subject of any characters is kept") {
  StoredTokens store;
  Authenticator authenticator(KeyRing::load({.secret = secret}), store);
  std::string const subject = "J\"\\\n\x01 é 𝄞";
  CHECK(verdict(authenticator, "Bearer " + sign_hs256(claims_of(subject), secret)) == "good: " + subject);
}

TEST_CASE("a subject that is not UTF-8 is not signed") {
  CHECK_THROWS_AS(sign_hs256(claims_of("\xff"), secret), std::invalid_argument);
}

TEST_CASE("a secret of fewer than 32 bytes does not sign") {
  CHECK_THROWS_AS(sign_hs256(claims_of("jane"), secret.substr(1)), KeyError);
}
