#include "auth/key_ring.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <chrono>
#include <string>

#include "tests/auth/key_files.hpp"
#include "tests/auth/signing.hpp"

namespace {

using namespace std::chrono_literals;
using namespace deployd::tests;
using Catch::Matchers::Message;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::StartsWith;
using deployd::auth::KeyError;
using deployd::auth::KeyRing;

}  // namespace

TEST_CASE("a ring without keys is empty") {
  CHECK(KeyRing::load({})->empty());
}

TEST_CASE("a ring holds the keys of all its sources") {
  KeyFiles const files;
  auto const ring = KeyRing::load({.secret = std::string(32, 's'),
                                   .public_key_files = {files.write("a.pem", rsa_key().public_pem()),
                                                        files.write("b.pem", p256_key().public_pem())},
                                   .jwks_files = {files.write("c.json", jwks_of({p256_key().jwk()}))},
                                   .issuer = "me",
                                   .leeway = 7s});
  CHECK(ring->keys().size() == 4);
  CHECK_FALSE(ring->empty());
  CHECK(ring->issuer() == "me");
  CHECK_FALSE(ring->audience().has_value());
  CHECK(ring->leeway() == 7s);
}

TEST_CASE("a secret of fewer than 32 bytes is refused in a line that names where it is from") {
  for (auto const& secret : {std::string(), std::string(31, 's')}) {
    CHECK_THROWS_MATCHES(KeyRing::load({.secret = secret, .secret_origin = "DEPLOYD_JWT_SECRET"}), KeyError,
                         Message("DEPLOYD_JWT_SECRET: the secret has " + std::to_string(secret.size()) +
                                 " bytes, and must have at least 32"));
  }
  CHECK_NOTHROW(KeyRing::load({.secret = std::string(32, '\0')}));
}

TEST_CASE("a file that cannot be read is refused in a line that names it") {
  KeyFiles const files;
  auto const missing = files.directory() + "/missing";
  auto const empty = files.write("empty", "");
  auto const large = files.write("large", std::string((1 << 20) + 1, ' '));
  for (bool const jwks : {false, true}) {
    auto const load = [&](std::string const& file) {
      if (jwks) return KeyRing::load({.jwks_files = {file}});
      return KeyRing::load({.public_key_files = {file}});
    };
    CHECK_THROWS_MATCHES(load(missing), KeyError, Message(missing + ": No such file or directory"));
    CHECK_THROWS_MATCHES(load(files.directory()), KeyError, Message(files.directory() + ": Is a directory"));
    CHECK_THROWS_MATCHES(load(empty), KeyError, Message(empty + ": the file is empty"));
    CHECK_THROWS_MATCHES(load(large), KeyError, Message(large + ": the file is larger than 1 MiB"));
    CHECK_THROWS_MATCHES(load(""), KeyError, MessageMatches(StartsWith(": ")));
  }
}

TEST_CASE("one bad file among good ones refuses the ring") {
  KeyFiles const files;
  auto const good = files.write("good.pem", p256_key().public_pem());
  auto const bad = files.write("bad.json", "{}");
  CHECK_THROWS_MATCHES(KeyRing::load({.secret = std::string(32, 's'), .public_key_files = {good}, .jwks_files = {bad}}),
                       KeyError, MessageMatches(StartsWith(bad + ": ")));
}
