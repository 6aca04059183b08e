#include "auth/token_cache.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <map>
#include <random>
#include <string>

#include "tests/auth/checking.hpp"

namespace {

using namespace std::chrono_literals;
using deployd::auth::Identity;
using deployd::auth::TokenCache;
using deployd::auth::Validity;
using deployd::tests::noon;
using Time = std::chrono::system_clock::time_point;

Validity const hour{.from = Time(noon), .until = Time(noon + 1h)};

Identity identity(std::string subject) {
  return {.subject = std::move(subject), .key = 7};
}

std::string found(TokenCache& cache, std::string_view credentials, Time now = noon) {
  auto const* const identity = cache.find(credentials, now);
  return identity != nullptr ? identity->subject : "nobody";
}

}  // namespace

TEST_CASE("remembered credentials are found while they are good") {
  TokenCache cache;
  CHECK(found(cache, "Bearer a") == "nobody");
  CHECK(cache.put("Bearer a", identity("jane"), hour)->subject == "jane");
  CHECK(found(cache, "Bearer a", noon - 1ns) == "nobody");
  CHECK(found(cache, "Bearer a", noon) == "jane");
  CHECK(found(cache, "Bearer a", noon + 1h - 1ns) == "jane");
  CHECK(found(cache, "Bearer a", noon + 1h) == "nobody");
}

TEST_CASE("credentials that differ in one byte are others") {
  std::string const credentials = "Bearer " + std::string(300, 'x');
  TokenCache cache;
  cache.put(credentials, identity("jane"), hour);
  for (std::size_t i = 0; i < credentials.size(); ++i) {
    auto other = credentials;
    other[i] = static_cast<char>(other[i] ^ 1);
    CHECK(found(cache, other) == "nobody");
  }
  CHECK(found(cache, credentials.substr(1)) == "nobody");
  CHECK(found(cache, credentials) == "jane");
}

TEST_CASE("the spellings of one token do not share a bucket, so that none of them is slow to find") {
  TokenCache cache;
  std::string const token(300, 't');
  for (std::size_t spelling = 0; spelling < 4096; ++spelling) {
    std::string scheme = "bearer";
    for (std::size_t i = 0; i < scheme.size(); ++i)
      if ((spelling >> i & 1) != 0) scheme[i] = static_cast<char>(scheme[i] - 32);
    cache.put(scheme + std::string(1 + spelling / 64, ' ') + token, identity("jane"), hour);
  }
  CHECK(cache.size() == 4096);
  CHECK(cache.longest_chain() < 16);
}

TEST_CASE("credentials of one end are kept apart") {
  std::string const end(100, 'e');
  TokenCache cache;
  for (int i = 0; i < 50; ++i) cache.put(std::to_string(i) + end, identity(std::to_string(i)), hour);
  for (int i = 0; i < 50; ++i) CHECK(found(cache, std::to_string(i) + end) == std::to_string(i));
}

TEST_CASE("what is put again replaces what was") {
  TokenCache cache;
  cache.put("Bearer a", identity("jane"), {.from = Time(noon), .until = Time(noon + 1s)});
  cache.put("Bearer a", identity("joe"), hour);
  CHECK(cache.size() == 1);
  CHECK(found(cache, "Bearer a", noon + 2s) == "joe");
}

TEST_CASE("a cleared cache knows nobody and can be filled again") {
  TokenCache cache(4);
  for (int i = 0; i < 9; ++i) cache.put(std::to_string(i), identity("jane"), hour);
  cache.clear();
  CHECK(cache.size() == 0);
  CHECK(cache.bytes() == 0);
  for (int i = 0; i < 9; ++i) CHECK(found(cache, std::to_string(i)) == "nobody");
  for (int i = 0; i < 9; ++i) cache.put(std::to_string(i), identity("joe"), hour);
  CHECK(found(cache, "8") == "joe");
}

TEST_CASE("a full cache keeps what is asked for and lets go of the rest") {
  TokenCache cache(16);
  cache.put("often", identity("often"), hour);
  for (int i = 0; i < 1000; ++i) {
    cache.put(std::to_string(i), identity(std::to_string(i)), hour);
    REQUIRE(found(cache, "often") == "often");
    REQUIRE(cache.size() <= 16);
  }
}

TEST_CASE("a cache holds no more bytes than it may") {
  TokenCache cache(4096, 10000);
  for (int i = 0; i < 100; ++i) {
    cache.put(std::to_string(i) + std::string(900, 'x'), identity(std::string(50, 's')), hour);
    REQUIRE(cache.bytes() <= 10000);
  }
  CHECK(cache.size() == 10);
}

TEST_CASE("after any number of puts the cache finds only what was put last") {
  std::mt19937 random(3);
  TokenCache cache(64, 4096);
  std::map<std::string, std::string> model;
  for (int round = 0; round < 20000; ++round) {
    auto const credentials = std::to_string(random() % 200) + std::string(random() % 3 * 40, 'x');
    if (random() % 3 == 0) {
      model[credentials] = std::to_string(round);
      cache.put(credentials, identity(model[credentials]), hour);
    }
    auto const subject = found(cache, credentials);
    if (subject != "nobody") REQUIRE(subject == model[credentials]);
    if (random() % 5000 == 0) cache.clear();
  }
}
