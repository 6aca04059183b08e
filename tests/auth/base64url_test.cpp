#include "auth/base64url.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <random>
#include <string>

using deployd::auth::decode_base64url;
using deployd::auth::encode_base64url;
using deployd::auth::is_base64url_of;

TEST_CASE("bytes of every length come back from their base64url") {
  std::mt19937 random(1);
  for (std::size_t length = 0; length < 200; ++length) {
    std::string bytes(length, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    auto const text = encode_base64url(bytes);
    CAPTURE(text);
    CHECK(decode_base64url(text) == bytes);
    CHECK(is_base64url_of(text, length));
    CHECK_FALSE(is_base64url_of(text, length + 1));
  }
}

TEST_CASE("base64url uses the alphabet for URLs and no padding") {
  CHECK(encode_base64url("\xfb\xff\xfe") == "-__-");
  CHECK(encode_base64url("a") == "YQ");
}

TEST_CASE("what is not the one base64url form of some bytes is refused") {
  auto const [text, length] = GENERATE(table<std::string, std::size_t>({
      {"YQ==", 1},                 // padding
      {"YR", 1},                   // a spare bit
      {"YWJ", 2},                  // a spare bit
      {"Y", 0},                    // six bits alone
      {"YWJjY", 3},                // six bits behind
      {"+_-_", 3},                 // the other alphabet
      {"YQ\n", 1},                 // a line break
      {" YQ", 1},                  // white space
      {std::string("Y\0", 2), 1},  // a NUL byte
      {"Y\xc3", 1},                // no ASCII
  }));
  CAPTURE(text);
  CHECK_FALSE(decode_base64url(text));
  CHECK_FALSE(is_base64url_of(text, length));
}
