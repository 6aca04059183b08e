#include "auth/jwt/key_ring.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <sys/stat.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "auth/jwt/hmac_secret.hpp"
#include "tests/auth/key_files.hpp"
#include "tests/auth/signing.hpp"

namespace {

using namespace std::chrono_literals;
using namespace deployd::tests;
using Catch::Matchers::EndsWith;
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

namespace {

/// Those about secrets of a file with this content and mode, without the file's name.
std::vector<std::string> secret_complaints(std::string const& content, mode_t mode = 0600) {
  KeyFiles const files;
  auto const file = files.write("secret", content);
  REQUIRE(::chmod(file.c_str(), mode) == 0);
  auto complaints = deployd::auth::read_secret_file(file).complaints;
  for (auto& line : complaints) {
    CHECK(line.starts_with(file + ": "));
    CHECK(line.find(content.substr(0, 20)) == line.npos);
    line.erase(0, file.size() + 2);
  }
  return complaints;
}

}  // namespace

TEST_CASE("a file of keys may begin with a byte order mark") {
  KeyFiles const files;
  std::string const mark = "\xEF\xBB\xBF";
  auto const ring = KeyRing::load({.public_key_files = {files.write("a.pem", mark + rsa_key().public_pem())},
                                   .jwks_files = {files.write("b.json", mark + jwks_of({p256_key().jwk()}))}});
  CHECK(ring->keys().size() == 2);
  CHECK(ring->complaints().empty());
  CHECK_THROWS_MATCHES(KeyRing::load({.jwks_files = {files.write("c.json", mark)}}), KeyError,
                       MessageMatches(EndsWith("c.json: the file is empty")));
}

TEST_CASE("the secret of a file has no byte order mark and loses one newline at its end, and no more") {
  KeyFiles const files;
  std::string const key(32, 's');
  for (auto const& [content, want] :
       std::vector<std::pair<std::string, std::string>>{{key, key},
                                                        {key + "\n", key},
                                                        {key + "\n\n", key + "\n"},
                                                        {key + "\r\n", key + "\r"},
                                                        {key + " ", key + " "},
                                                        {"\xEF\xBB\xBF" + key + "\n", key},
                                                        {"\xFF\xFE" + key, "\xFF\xFE" + key}}) {
    CAPTURE(content);
    CHECK(deployd::auth::read_secret_file(files.write("secret", content)).bytes == want);
  }
}

TEST_CASE("a secret that begins or ends as nobody meant it is complained of") {
  using Complaints = std::vector<std::string>;
  std::string const key(32, 's');
  CHECK(secret_complaints(key) == Complaints());
  CHECK(secret_complaints(key + "\n") == Complaints());
  for (auto const& [end, name] : {std::pair("\r\n", "a carriage return"),
                                  {"\r", "a carriage return"},
                                  {" \n", "a space"},
                                  {" ", "a space"},
                                  {"\t", "a tab"},
                                  {"\n\n", "a newline"}}) {
    CAPTURE(name);
    auto const lines = secret_complaints(key + end);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].starts_with("the secret ends in " + std::string(name)));
  }
  auto const marked = secret_complaints("\xEF\xBB\xBF" + key);
  REQUIRE(marked.size() == 1);
  CHECK(marked[0].starts_with("begins with a byte order mark"));

  CHECK(deployd::auth::secret_of_variable("V", key).complaints.empty());
  CHECK(deployd::auth::secret_of_variable("V", key + "\n").complaints.size() == 1);
  CHECK(deployd::auth::secret_of_variable("V", "\xEF\xBB\xBF" + key).complaints.size() == 1);
}

TEST_CASE("a secret that others can read, or the group write, is complained of") {
  std::string const key(32, 's');
  for (mode_t const mode : {0600U, 0400U, 0640U, 0440U}) CHECK(secret_complaints(key, mode).empty());
  for (mode_t const mode : {0644U, 0604U, 0602U, 0601U, 0660U, 0620U}) {
    CAPTURE(mode);
    auto const lines = secret_complaints(key, mode);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("chmod 640") != std::string::npos);
  }
}

TEST_CASE("a JWKS with private members is loaded, and complained of by entry") {
  KeyFiles const files;
  auto const file = files.write(
      "jwks.json",
      jwks_of({p256_key().jwk(), with(p256_key().jwk(), {{"kid", "a"}, {"d", "AAAA"}}),
               with(rsa_key().jwk(),
                    {{"use", "enc"}, {"d", 1}, {"p", 1}, {"q", 1}, {"dp", 1}, {"dq", 1}, {"qi", 1}, {"oth", 1}})}));
  REQUIRE(::chmod(file.c_str(), 0640) == 0);
  auto const ring = KeyRing::load({.jwks_files = {file}});
  CHECK(ring->keys().size() == 2);
  REQUIRE(ring->complaints().size() == 2);
  CHECK(ring->complaints()[0].starts_with(file + ": key 1 (kid 'a') has d,"));
  CHECK(ring->complaints()[1].starts_with(file + ": key 2 has d, p, q, dp, dq, qi, oth,"));
}

TEST_CASE("a JWKS that others can read is complained of only when it holds secrets") {
  KeyFiles const files;
  auto const complaints = [&](boost::json::object const& jwk) {
    auto const file = files.write("jwks.json", jwks_of({jwk}));
    REQUIRE(::chmod(file.c_str(), 0644) == 0);
    return KeyRing::load({.jwks_files = {file}})->complaints().size();
  };
  CHECK(complaints(p256_key().jwk()) == 0);
  CHECK(complaints(SigningKey::hmac(std::string(32, 's')).jwk()) == 1);
  CHECK(complaints(with(p256_key().jwk(), {{"d", "AAAA"}})) == 2);
}
