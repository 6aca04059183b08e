#include "auth/api_token.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <optional>
#include <string>

#include "tests/auth/checking.hpp"
#include "tests/auth/stored_tokens.hpp"

using namespace std::chrono_literals;
using deployd::auth::Authenticator;
using deployd::auth::KeyRing;
using deployd::auth::looks_like_api_token;
using deployd::auth::make_api_token;
using deployd::storage::errc;
using deployd::tests::noon;
using deployd::tests::recalled;
using deployd::tests::StoredTokens;
using deployd::tests::verdict;

namespace {

struct Server {
  StoredTokens store{};
  Authenticator authenticator{KeyRing::load({}), store};
  std::string token = make_api_token();
  std::string credentials = "Bearer " + token;
};

}  // namespace

TEST_CASE("a new API token has the form of one and is unlike the last") {
  auto const token = make_api_token();
  CHECK(token.size() == 47);
  CHECK(token.starts_with("dpd_"));
  CHECK(looks_like_api_token(token));
  CHECK(token != make_api_token());
}

TEST_CASE("text of another form is no API token") {
  std::string const digits(42, 'A');
  auto const text = GENERATE_COPY(std::string(), "dpd_", "dpd_" + digits, "dpd_" + digits + "AA", "DPD_" + digits + "A",
                                  "dpd-" + digits + "A", "dpd_" + digits + "B", "dpd_" + digits + "+",
                                  "dpd_" + digits + "=", "xdpd_" + digits + "A");
  CAPTURE(text);
  CHECK_FALSE(looks_like_api_token(text));
}

TEST_CASE("an API token of the store is good, and known by its name") {
  Server server;
  server.store.add(server.token, "ci");
  CHECK(verdict(server.authenticator, server.credentials) == "good: ci");
}

TEST_CASE("an API token that the store does not have is unknown for half a second, and good as soon as it has it") {
  Server server;
  CHECK(verdict(server.authenticator, server.credentials) == "unknown token");
  CHECK(recalled(server.authenticator, server.credentials) == "nothing");
  server.store.add(server.token, "ci");
  CHECK(verdict(server.authenticator, server.credentials, noon + 499ms) == "unknown token");
  CHECK(verdict(server.authenticator, server.credentials, noon + 500ms) == "good: ci");
}

TEST_CASE("the same unknown API token asks the store once in half a second") {
  Server server;
  for (int i = 0; i < 1000; ++i) verdict(server.authenticator, server.credentials, noon + i * 1ms);
  CHECK(server.store.questions == 2);
  CHECK(
      server.authenticator.checks().refused[static_cast<std::size_t>(deployd::auth::Refusal::unknown_token)].value() ==
      1000);
}

TEST_CASE("that a token is unknown is forgotten when the clock is set back, and when the store was away") {
  Server server;
  CHECK(verdict(server.authenticator, server.credentials) == "unknown token");
  server.store.add(server.token, "ci");
  CHECK(verdict(server.authenticator, server.credentials, noon - 1h) == "good: ci");
  Server other;
  other.store.trouble = errc::timeout;
  CHECK(verdict(other.authenticator, other.credentials) == "store unavailable");
  other.store.trouble.reset();
  other.store.add(other.token, "ci");
  CHECK(verdict(other.authenticator, other.credentials) == "good: ci");
}

TEST_CASE("any number of unknown API tokens takes no more memory, and pushes no good one out") {
  Server server;
  server.store.add(server.token, "ci");
  for (int i = 0; i < 5000; ++i) CHECK(verdict(server.authenticator, "Bearer " + make_api_token()) == "unknown token");
  CHECK(verdict(server.authenticator, server.credentials) == "good: ci");
}

TEST_CASE("a revoked API token is refused") {
  Server server;
  server.store.add(server.token, "ci").revoked = true;
  CHECK(verdict(server.authenticator, server.credentials) == "revoked");
  CHECK(recalled(server.authenticator, server.credentials) == "nothing");
}

TEST_CASE("an API token is good until its expiry, to the instant") {
  Server server;
  server.store.add(server.token, "ci", noon + 1s);
  CHECK(verdict(server.authenticator, server.credentials, noon + 999ms) == "good: ci");
  CHECK(recalled(server.authenticator, server.credentials, noon + 999ms) == "good: ci");
  CHECK(recalled(server.authenticator, server.credentials, noon + 1s) == "nothing");
  CHECK(verdict(server.authenticator, server.credentials, noon + 1s) == "expired");
}

TEST_CASE("an API token that expires in a far century is good") {
  Server server;
  server.store.add(server.token, "ci", std::chrono::sys_seconds(std::chrono::seconds(1'000'000'000'000)));
  CHECK(verdict(server.authenticator, server.credentials) == "good: ci");
}

TEST_CASE("a good API token is remembered for half a second, so that revocation takes effect within one") {
  Server server;
  auto& stored = server.store.add(server.token, "ci");
  CHECK(recalled(server.authenticator, server.credentials) == "nothing");
  CHECK(verdict(server.authenticator, server.credentials) == "good: ci");
  stored.revoked = true;
  CHECK(recalled(server.authenticator, server.credentials, noon + 499ms) == "good: ci");
  CHECK(recalled(server.authenticator, server.credentials, noon + 500ms) == "nothing");
  CHECK(verdict(server.authenticator, server.credentials, noon + 500ms) == "revoked");
}

TEST_CASE("a clock that is set back does not make the memory of an API token longer") {
  Server server;
  server.store.add(server.token, "ci");
  CHECK(verdict(server.authenticator, server.credentials, noon) == "good: ci");
  CHECK(recalled(server.authenticator, server.credentials, noon - 1h) == "nothing");
}

TEST_CASE("only the very same credentials are remembered") {
  Server server;
  server.store.add(server.token, "ci");
  CHECK(verdict(server.authenticator, server.credentials) == "good: ci");
  CHECK(recalled(server.authenticator, server.token) == "nothing");
  CHECK(recalled(server.authenticator, "bearer " + server.token) == "nothing");
  CHECK(recalled(server.authenticator, server.credentials + "A") == "nothing");
  CHECK(recalled(server.authenticator, "") == "nothing");
}

TEST_CASE("a store that does not answer is no refusal") {
  auto const trouble = GENERATE(errc::unavailable, errc::overloaded, errc::timeout, errc::busy, errc::corrupt);
  Server server;
  server.store.add(server.token, "ci");
  server.store.trouble = trouble;
  CHECK(verdict(server.authenticator, server.credentials) == "store unavailable");
  CHECK(recalled(server.authenticator, server.credentials) == "nothing");
  server.store.trouble.reset();
  CHECK(verdict(server.authenticator, server.credentials) == "good: ci");
}

TEST_CASE("the store is not asked about what is no API token") {
  Server server;
  server.store.trouble = errc::unavailable;
  std::string const credentials = GENERATE(as<std::string>{}, "Bearer dpd_", "Bearer abc", "Bearer a.b.c", "Basic abc");
  CHECK(verdict(server.authenticator, credentials) != "store unavailable");
  CHECK(server.store.questions == 0);
}

TEST_CASE("the use of an API token is noted at once, and then every fifteen seconds") {
  Server server;
  server.store.add(server.token, "ci");
  for (auto now = noon; now < noon + 31s; now += 1s) verdict(server.authenticator, server.credentials, now);
  CHECK(server.store.uses == std::vector<std::int64_t>{1, 1, 1});
}

TEST_CASE("a refused API token is not noted as used") {
  Server server;
  server.store.add(server.token, "ci").revoked = true;
  verdict(server.authenticator, server.credentials);
  CHECK(server.store.uses.empty());
}
