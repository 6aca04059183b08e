#include "auth/authenticator.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "tests/auth/checking.hpp"
#include "tests/auth/key_files.hpp"
#include "tests/auth/signing.hpp"
#include "tests/auth/stored_tokens.hpp"

namespace {

using namespace std::chrono_literals;
using namespace deployd::tests;
using deployd::auth::Authenticator;
using deployd::auth::KeyRing;

std::string const secret(32, 's');
std::string const other_secret(32, 'o');

std::string bearer(std::string const& claims, std::string const& signed_with = secret) {
  return "Bearer " + jwt(SigningKey::hmac(signed_with), "HS256", claims);
}

/// The number by which rate limits know whose credentials these are.
std::uint64_t key_of(Authenticator& authenticator, std::string const& credentials) {
  REQUIRE(verdict(authenticator, credentials).starts_with("good"));
  return authenticator.recall(credentials, noon)->key;
}

/// A verification on a loop of its own that may have to wait.
class Verification {
 public:
  Verification(Authenticator& authenticator, std::string credentials) : credentials_(std::move(credentials)) {
    auto waiting = authenticator.verify(credentials_, noon);
    verdict_ = boost::asio::co_spawn(loop_, std::move(waiting), boost::asio::use_future);
    loop_.poll();
  }

  /// Runs what can run now. Returns `good`, `refused` or `waits`.
  std::string state() {
    loop_.poll();
    if (verdict_.wait_for(0s) != std::future_status::ready) return "waits";
    return std::holds_alternative<deployd::auth::Refused>(verdict_.get()) ? "refused" : "good";
  }

 private:
  boost::asio::io_context loop_;
  std::string credentials_;
  std::future<deployd::auth::Verdict> verdict_;
};

std::string token_with_kid(std::string_view kid, std::string const& claims = R"({"sub":"jane","exp":1800000060})") {
  return "Bearer " + jwt_with_header(p256_key(), deployd::auth::Algorithm::es256,
                                     R"({"alg":"ES256","kid":")" + std::string(kid) + "\"}", claims);
}

SigningKey const other_key = SigningKey::of("P-256");

/// A key with the name `kid`, by default that of these tokens.
std::shared_ptr<KeyRing const> ring_with_kid(std::string_view kid, SigningKey const& key = p256_key()) {
  KeyFiles const files;
  return KeyRing::load({.jwks_files = {files.write("jwks", jwks_of({with(key.jwk(), {{"kid", kid}})}))}});
}

}  // namespace

TEST_CASE("a request without bearer credentials has none") {
  StoredTokens store;
  Authenticator authenticator(KeyRing::load({.secret = secret}), store);
  CHECK(verdict(authenticator, "") == "no credentials");
  CHECK(verdict(authenticator, "Basic YTpi") == "no credentials");
  CHECK(verdict(authenticator, "Bearer") == "malformed");
}

TEST_CASE("a good JWT is remembered until it expires and no longer") {
  StoredTokens store;
  Authenticator authenticator(KeyRing::load({.secret = secret, .leeway = 10s}), store);
  auto const credentials = bearer(R"({"sub":"jane","exp":1800000060,"nbf":1799999970})");
  CHECK(recalled(authenticator, credentials) == "nothing");
  CHECK(verdict(authenticator, credentials) == "good: jane");
  CHECK(recalled(authenticator, credentials) == "good: jane");
  CHECK(recalled(authenticator, credentials, noon + 70s - 1ms) == "good: jane");
  CHECK(recalled(authenticator, credentials, noon + 70s) == "nothing");
  CHECK(verdict(authenticator, credentials, noon + 70s) == "expired");
  CHECK(recalled(authenticator, credentials, noon - 40s) == "good: jane");
  CHECK(recalled(authenticator, credentials, noon - 40s - 1ms) == "nothing");
  CHECK(verdict(authenticator, credentials, noon - 40s - 1ms) == "not yet valid");
}

TEST_CASE("with other keys, what the old ones verified is forgotten") {
  StoredTokens store;
  Authenticator authenticator(KeyRing::load({.secret = secret}), store);
  auto const credentials = bearer(R"({"sub":"jane","exp":1800000060})");
  auto const others = bearer(R"({"sub":"joe","exp":1800000060})", other_secret);
  CHECK(verdict(authenticator, credentials) == "good: jane");
  CHECK(verdict(authenticator, others) == "bad signature");

  authenticator.replace_keys(KeyRing::load({.secret = other_secret}));
  CHECK(recalled(authenticator, credentials) == "nothing");
  CHECK(verdict(authenticator, credentials) == "bad signature");
  CHECK(verdict(authenticator, others) == "good: joe");
}

TEST_CASE("other rules hold for tokens that were good by the old ones") {
  StoredTokens store;
  Authenticator authenticator(KeyRing::load({.secret = secret}), store);
  auto const credentials = bearer(R"({"sub":"jane","exp":1800000060})");
  CHECK(verdict(authenticator, credentials) == "good: jane");
  authenticator.replace_keys(KeyRing::load({.secret = secret, .issuer = "me"}));
  CHECK(recalled(authenticator, credentials) == "nothing");
  CHECK(verdict(authenticator, credentials) == "wrong issuer");
}

TEST_CASE("API tokens stay good when keys are replaced") {
  StoredTokens store;
  Authenticator authenticator(KeyRing::load({}), store);
  auto const token = deployd::auth::make_api_token();
  store.add(token, "ci");
  CHECK(verdict(authenticator, "Bearer " + token) == "good: ci");
  authenticator.replace_keys(KeyRing::load({.secret = secret}));
  CHECK(verdict(authenticator, "Bearer " + token) == "good: ci");
}

TEST_CASE("JWTs are checked while the store is away") {
  StoredTokens store;
  store.trouble = deployd::storage::errc::unavailable;
  Authenticator authenticator(KeyRing::load({.secret = secret}), store);
  CHECK(verdict(authenticator, bearer(R"({"sub":"jane","exp":1800000060})")) == "good: jane");
}

TEST_CASE("rate limits know a JWT's issuer and subject, and an API token's id") {
  StoredTokens store;
  Authenticator authenticator(KeyRing::load({.secret = secret}), store);
  auto const jane = key_of(authenticator, bearer(R"({"sub":"jane","exp":1800000060})"));
  CHECK(jane == key_of(authenticator, bearer(R"({"sub":"jane","exp":1800000061})")));
  CHECK(jane != key_of(authenticator, bearer(R"({"sub":"joe","exp":1800000060})")));
  CHECK(jane != key_of(authenticator, bearer(R"({"sub":"jane","iss":"me","exp":1800000060})")));
  CHECK(key_of(authenticator, bearer(R"({"sub":"a","iss":"b","exp":1800000060})")) !=
        key_of(authenticator, bearer(R"({"sub":"b","iss":"a","exp":1800000060})")));

  auto const anonymous = key_of(authenticator, bearer(R"({"exp":1800000060})"));
  CHECK(anonymous == key_of(authenticator, bearer(R"({"exp":1800000060})")));
  CHECK(anonymous != key_of(authenticator, bearer(R"({"exp":1800000061})")));

  auto const token = deployd::auth::make_api_token();
  auto const second = deployd::auth::make_api_token();
  store.add(token, "jane");
  store.add(second, "jane");
  auto const key = key_of(authenticator, "Bearer " + token);
  CHECK(key == key_of(authenticator, "bearer " + token));
  CHECK(key != key_of(authenticator, "Bearer " + second));
  CHECK(key != jane);

  StoredTokens same_store;
  same_store.tokens = store.tokens;
  Authenticator another(KeyRing::load({.secret = secret}), same_store);
  CHECK(jane == key_of(another, bearer(R"({"sub":"jane","exp":1800000060})")));
  CHECK(key == key_of(another, "Bearer " + token));
}

TEST_CASE("workers check with one ring at the same time") {
  KeyFiles const files;
  auto const ed = SigningKey::of("ED25519");
  auto const ring = KeyRing::load(
      {.secret = secret, .jwks_files = {files.write("k", jwks_of({rsa_key().jwk(), p256_key().jwk(), ed.jwk()}))}});
  std::string const claims = R"({"sub":"jane","exp":1800000060})";
  std::vector<std::string> const tokens{jwt(SigningKey::hmac(secret), "HS256", claims), jwt(rsa_key(), "RS256", claims),
                                        jwt(rsa_key(), "PS512", claims), jwt(p256_key(), "ES256", claims),
                                        jwt(ed, "EdDSA", claims)};
  std::vector<int> good(4);
  std::vector<std::thread> workers;
  for (auto& count : good) {
    workers.emplace_back([&] {
      StoredTokens store;
      Authenticator authenticator(ring, store);
      for (int round = 0; round < 20; ++round) {
        for (auto const& token : tokens) count += verdict(authenticator, "Bearer " + token) == "good: jane" ? 1 : 0;
      }
    });
  }
  for (auto& worker : workers) worker.join();
  for (auto const count : good) CHECK(count == 100);
}

TEST_CASE("checks are counted by how they ended") {
  StoredTokens store;
  Authenticator authenticator(KeyRing::load({.secret = secret}), store);
  auto const good = bearer(R"({"sub":"jane","exp":1800000060})");
  verdict(authenticator, good);
  recalled(authenticator, good);
  recalled(authenticator, "Bearer nobody");
  authenticator.note_recalled();
  authenticator.note_recalled();
  verdict(authenticator, bearer(R"({"sub":"jane","exp":1})"));
  verdict(authenticator, "Bearer dpd_" + std::string(43, 'A'));
  store.trouble = deployd::storage::errc::unavailable;
  verdict(authenticator, "Bearer dpd_" + std::string(43, 'E'));
  authenticator.note_absent();

  auto const& checks = authenticator.checks();
  auto const refused = [&](deployd::auth::Refusal why) {
    return checks.refused[static_cast<std::size_t>(why)].value();
  };
  CHECK(checks.recalled_without_hit.value() == 2);
  CHECK(checks.accepted.value() == 1);
  CHECK(refused(deployd::auth::Refusal::expired) == 1);
  CHECK(refused(deployd::auth::Refusal::unknown_token) == 1);
  CHECK(refused(deployd::auth::Refusal::store_unavailable) == 1);
  CHECK(refused(deployd::auth::Refusal::no_credentials) == 1);
  CHECK(refused(deployd::auth::Refusal::malformed) == 0);
}

TEST_CASE("a JWT whose key is missing waits for newer keys while they may come") {
  StoredTokens store;
  std::vector<std::string> asked;
  Authenticator authenticator(ring_with_kid("a", other_key), store, nullptr, [&](std::string_view kid) {
    asked.emplace_back(kid);
    return true;
  });
  Verification verification(authenticator, token_with_kid("b"));
  CHECK(verification.state() == "waits");
  authenticator.retry_waiting();
  CHECK(verification.state() == "waits");
  CHECK(asked == std::vector<std::string>{"b", "b"});
  authenticator.replace_keys(ring_with_kid("b"));
  CHECK(verification.state() == "good");
}

TEST_CASE("a JWT that waits for its key is refused once no newer keys may come") {
  StoredTokens store;
  bool may_come = true;
  Authenticator authenticator(ring_with_kid("a", other_key), store, nullptr,
                              [&](std::string_view) { return may_come; });
  Verification one(authenticator, token_with_kid("b"));
  CHECK(one.state() == "waits");
  may_come = false;
  CHECK(one.state() == "waits");
  authenticator.retry_waiting();
  CHECK(one.state() == "refused");
  may_come = true;
  Verification other(authenticator, token_with_kid("b"));
  CHECK(other.state() == "waits");
  authenticator.stop_waiting();
  CHECK(other.state() == "refused");
  CHECK(Verification(authenticator, token_with_kid("b")).state() == "refused");
}

TEST_CASE("a JWT that no key could make good does not wait") {
  StoredTokens store;
  Authenticator authenticator(KeyRing::load({.secret = secret, .issuer = "me"}), store, nullptr,
                              [](std::string_view) { return true; });
  auto const refused = [&](std::string const& credentials) {
    return Verification(authenticator, credentials).state() == "refused";
  };
  CHECK(refused(token_with_kid("b")));
  CHECK(refused(token_with_kid("b", R"({"iss":"me","exp":1})")));
  CHECK(refused(token_with_kid("b", R"({"iss":"me"})")));
  CHECK(refused("Bearer " + jwt(p256_key(), "ES256", R"({"iss":"me","exp":1800000060})")));
  CHECK(refused("Bearer " + jwt_with_header(SigningKey::hmac(other_secret), deployd::auth::Algorithm::hs256,
                                            R"({"alg":"HS256","kid":"b"})", R"({"iss":"me","exp":1800000060})")));
  CHECK_FALSE(refused(token_with_kid("b", R"({"iss":"me","exp":1800000060})")));
}

TEST_CASE("a JWT waits for its key for a limited time") {
  StoredTokens store;
  int asked = 0;
  Authenticator authenticator(ring_with_kid("a", other_key), store, nullptr,
                              [&](std::string_view) { return ++asked > 0; });
  auto const begin = std::chrono::steady_clock::now();
  CHECK(verdict(authenticator, token_with_kid("b")) == "bad signature");
  auto const waited = std::chrono::steady_clock::now() - begin;
  CHECK(waited >= deployd::auth::longest_wait_for_key);
  CHECK(waited < deployd::auth::longest_wait_for_key + 5s);
  CHECK(asked >= 1);
}
