#include "auth/bearer_credentials.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>

using deployd::auth::bearer_token;
using deployd::auth::Refusal;

TEST_CASE("the token behind the Bearer scheme is found") {
  auto const [value, token] = GENERATE(table<std::string, std::string>({
      {"Bearer abc", "abc"},
      {"bearer abc", "abc"},
      {"BEARER abc", "abc"},
      {"bEaReR   abc", "abc"},
      {"Bearer a-._~+/9==", "a-._~+/9=="},
  }));
  CAPTURE(value);
  auto const found = bearer_token(value);
  REQUIRE(found.has_value());
  CHECK(*found == token);
}

TEST_CASE("other schemes are no credentials") {
  auto const* const value = GENERATE("", "Basic YTpi", "Bearerabc", "Bearer1 abc", "Beare abc", " Bearer abc",
                                     "Token abc", "\"Bearer\" abc", "\x42\x45\x41\x52\x45\x12 abc");
  CAPTURE(value);
  auto const found = bearer_token(value);
  REQUIRE(found.has_error());
  CHECK(found.error() == Refusal::no_credentials);
}

TEST_CASE("anything else than one token behind Bearer is malformed") {
  std::string const value =
      GENERATE(as<std::string>{}, "Bearer", "Bearer ", "Bearer\tabc", "Bearer abc ", "Bearer abc def", "Bearer abc,def",
               "Bearer =", "Bearer a=b", "Bearer token=\"abc\"", "Bearer, abc", "Bearer a\tb", "Bearer \xc3\xa4",
               std::string("Bearer a\0", 9), "Bearer abc, Bearer abc");
  CAPTURE(value);
  auto const found = bearer_token(value);
  REQUIRE(found.has_error());
  CHECK(found.error() == Refusal::malformed);
}
