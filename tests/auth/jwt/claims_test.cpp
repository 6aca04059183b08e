#include "auth/jwt/claims.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <string>

#include "auth/jwt/key_ring.hpp"
#include "tests/auth/checking.hpp"

namespace {

using namespace std::chrono_literals;
using deployd::auth::check_claims;
using deployd::auth::KeyRing;
using deployd::auth::KeyRingOptions;
using deployd::auth::read_claims;
using deployd::auth::Refusal;
using deployd::tests::noon;
using Time = std::chrono::system_clock::time_point;

/// `good`, or why not.
std::string checked(std::string const& payload, Time now, KeyRingOptions const& options = {.leeway = 0s}) {
  auto const claims = read_claims(payload);
  if (!claims) return std::string(to_string(claims.error().why));
  auto const validity = check_claims(*claims, *KeyRing::load(options), now);
  return validity ? "good" : std::string(to_string(validity.error()));
}

}  // namespace

TEST_CASE("a token is good before exp and not at it") {
  CHECK(checked(R"({"exp":1800000000})", noon - 1ms) == "good");
  CHECK(checked(R"({"exp":1800000000})", noon) == "expired");
  CHECK(checked(R"({"exp":1800000000.5})", noon + 499ms) == "good");
  CHECK(checked(R"({"exp":1800000000.5})", noon + 500ms) == "expired");
  CHECK(checked(R"({"exp":1.8e9})", noon - 1ms) == "good");
  CHECK(checked(R"({"exp":1.8e9})", noon) == "expired");
}

TEST_CASE("a token is good from nbf on") {
  CHECK(checked(R"({"exp":1900000000,"nbf":1800000000})", noon - 1ms) == "not yet valid");
  CHECK(checked(R"({"exp":1900000000,"nbf":1800000000})", noon) == "good");
  CHECK(checked(R"({"exp":1900000000,"nbf":1800000000.25})", noon + 249ms) == "not yet valid");
  CHECK(checked(R"({"exp":1900000000,"nbf":1800000000.25})", noon + 250ms) == "good");
}

TEST_CASE("leeway makes exp later and nbf earlier") {
  KeyRingOptions const options{.leeway = 30s};
  CHECK(checked(R"({"exp":1800000000})", noon + 30s - 1ms, options) == "good");
  CHECK(checked(R"({"exp":1800000000})", noon + 30s, options) == "expired");
  CHECK(checked(R"({"exp":1900000000,"nbf":1800000000})", noon - 30s - 1ms, options) == "not yet valid");
  CHECK(checked(R"({"exp":1900000000,"nbf":1800000000})", noon - 30s, options) == "good");
}

TEST_CASE("any leeway is reckoned with safely") {
  for (auto const leeway : {std::chrono::seconds::min(), -1s}) {
    CHECK(checked(R"({"exp":1800000000})", noon - 1ms, {.leeway = leeway}) == "good");
    CHECK(checked(R"({"exp":1800000000})", noon, {.leeway = leeway}) == "expired");
  }
  CHECK(checked(R"({"exp":9007199254740992,"nbf":-9007199254740992})", noon, {.leeway = std::chrono::seconds::max()}) ==
        "good");
}

TEST_CASE("exp is required") {
  CHECK(checked("{}", noon) == "no expiry");
  CHECK(checked(R"({"EXP":1900000000,"nbf":1})", noon) == "no expiry");
}

TEST_CASE("dates at the ends of what a double counts exactly are understood") {
  CHECK(checked(R"({"exp":9007199254740992})", noon) == "good");
  CHECK(checked(R"({"exp":9007199254740992.0})", noon) == "good");
  CHECK(checked(R"({"exp":99999999999999})", noon) == "good");
  CHECK(checked(R"({"exp":-1})", noon) == "expired");
  CHECK(checked(R"({"exp":0})", noon) == "expired");
  CHECK(checked(R"({"exp":-0.0})", noon) == "expired");
  CHECK(checked(R"({"exp":1e-400})", noon) == "expired");
  CHECK(checked(R"({"exp":-9007199254740992})", noon) == "expired");
  CHECK(checked(R"({"exp":1900000000,"nbf":-9007199254740992})", noon) == "good");
  CHECK(checked(R"({"exp":1900000000,"nbf":9007199254740992})", noon) == "not yet valid");
}

TEST_CASE("iat is not checked against the clock") {
  CHECK(checked(R"({"exp":1900000000,"iat":1850000000})", noon) == "good");
}

TEST_CASE("iss must be the configured one, exactly") {
  KeyRingOptions const options{.issuer = "https://issuer"};
  CHECK(checked(R"({"exp":1900000000,"iss":"https://issuer"})", noon, options) == "good");
  CHECK(checked(R"({"exp":1900000000,"iss":"https:\/\/issuer"})", noon, options) == "good");
  CHECK(checked(R"({"exp":1900000000})", noon, options) == "wrong issuer");
  CHECK(checked(R"({"exp":1900000000,"iss":"https://issuer/"})", noon, options) == "wrong issuer");
  CHECK(checked(R"({"exp":1900000000,"iss":"https://Issuer"})", noon, options) == "wrong issuer");
  CHECK(checked(R"({"exp":1900000000,"iss":""})", noon, options) == "wrong issuer");
  CHECK(checked(R"({"exp":1900000000,"iss":"https://issuer\u0000"})", noon, options) == "wrong issuer");
  CHECK(checked(R"({"exp":1900000000,"iss":"anybody"})", noon) == "good");
}

TEST_CASE("aud must be or hold the configured one, exactly") {
  KeyRingOptions const options{.audience = "deployd"};
  CHECK(checked(R"({"exp":1900000000,"aud":"deployd"})", noon, options) == "good");
  CHECK(checked(R"({"exp":1900000000,"aud":["a","deployd","b"]})", noon, options) == "good");
  CHECK(checked(R"({"exp":1900000000})", noon, options) == "wrong audience");
  CHECK(checked(R"({"exp":1900000000,"aud":[]})", noon, options) == "wrong audience");
  CHECK(checked(R"({"exp":1900000000,"aud":"deploy"})", noon, options) == "wrong audience");
  CHECK(checked(R"({"exp":1900000000,"aud":"deployd2"})", noon, options) == "wrong audience");
  CHECK(checked(R"({"exp":1900000000,"aud":["deployd "]})", noon, options) == "wrong audience");
  CHECK(checked(R"({"exp":1900000000,"aud":"anybody"})", noon) == "good");
}

TEST_CASE("what is remembered of a token's time is what it was checked by") {
  auto const claims = read_claims(R"({"exp":1800000060,"nbf":1799999940})");
  REQUIRE(claims.has_value());
  auto const validity = check_claims(*claims, *KeyRing::load({.leeway = 5s}), noon);
  REQUIRE(validity.has_value());
  CHECK(validity->from == Time(noon - 65s));
  CHECK(validity->until == Time(noon + 65s));
}

TEST_CASE("a numeric sub is its decimal text") {
  auto const [written, want] = GENERATE(table<std::string, std::string>({
      {"\"7\"", "7"},
      {"7", "7"},
      {"0", "0"},
      {"-1", "-1"},
      {"9007199254740993", "9007199254740993"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
      {"1000.0", "1000"},
      {"1e3", "1000"},
  }));
  CAPTURE(written);
  auto const claims = read_claims(R"({"exp":1800000000,"sub":)" + written + "}");
  REQUIRE(claims.has_value());
  CHECK(claims->subject == want);
}
