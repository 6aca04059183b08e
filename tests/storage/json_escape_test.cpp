#include "storage/json_escape.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_test_macros.hpp>

#include <random>
#include <string>

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  deployd::storage::append_json_escaped(out, text);
  return out;
}

}  // namespace

TEST_CASE("every byte below 0x80 is escaped as Boost.JSON escapes it") {
  for (int c = 0; c < 0x80; ++c) {
    std::string const text(1, static_cast<char>(c));
    CAPTURE(c);
    CHECK('"' + escaped(text) + '"' == boost::json::serialize(boost::json::value(text)));
  }
}

TEST_CASE("random text is escaped as Boost.JSON escapes it") {
  std::mt19937 random(7);
  std::string const alphabet = std::string("ab\"\\/\b\f\n\r\t\x01\x1f\x7f \0", 15) + "äöü€𝄞";
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (auto n = random() % 40; n > 0; --n) {
      auto at = random() % alphabet.size();
      while ((static_cast<unsigned char>(alphabet[at]) & 0xC0) == 0x80) --at;
      auto end = at + 1;
      while (end < alphabet.size() && (static_cast<unsigned char>(alphabet[end]) & 0xC0) == 0x80) ++end;
      text += alphabet.substr(at, end - at);
    }
    REQUIRE('"' + escaped(text) + '"' == boost::json::serialize(boost::json::value(text)));
  }
}
