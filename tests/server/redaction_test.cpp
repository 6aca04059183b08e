#include "server/redaction.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>
#include <utility>

using deployd::server::redacted;

TEST_CASE("what looks like a secret does not stay") {
  auto const [text, want] = GENERATE(table<std::string, std::string>({
      {"/api?token=dpd_0123456789abcdefghijABCDEFGHIJ0123456789-_x", "/api?token=dpd_[redacted]"},
      {"dpd_0123456789abcdefghijABCDEFGHIJ0123456789-_x dpd_0123456789abcdefghijABCDEFGHIJ0123456789-_x",
       "dpd_[redacted] dpd_[redacted]"},
      {"/a?access_token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJl&b=1", "/a?access_token=[redacted]&b=1"},
      {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0.", "[redacted]"},
      {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0", "[redacted]"},
      {"postgresql://jane:secret@db/x: refused", "postgresql://jane:[redacted]@db/x: refused"},
      {"postgresql://jane:a:b@c@db/x", "postgresql://jane:[redacted]@db/x"},
      {"postgresql://db/x?user=jane&password=secret&sslmode=require",
       "postgresql://db/x?user=jane&password=[redacted]&sslmode=require"},
      {"host=db password=secret user=jane", "host=db password=[redacted] user=jane"},
  }));
  CHECK(redacted(text) == want);
}

TEST_CASE("what only resembles a secret stays") {
  auto const text =
      GENERATE("", "dpd_", "a token begins with dpd_ and 43 characters", "/api/v1/deployments?name=dpd_short", "eyJ",
               "eyJhbGciOiJub25lIn0", "eyJhbGci.short", "postgresql://jane@db:5432/x", "http://[::1]:8080/a@b:c",
               "password=", "password=[redacted]", "GET https://example.com/a");
  CHECK(redacted(text) == text);
}
