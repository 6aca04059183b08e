#include "base/json_escape.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <random>
#include <string>

#include "tests/utf8.hpp"

namespace {

using deployd::tests::append_utf8;

std::string escaped(std::string_view text) {
  std::string out;
  deployd::base::append_json_escaped(out, text);
  return out;
}

/// A character that is escaped one time in `rarity`; else one of any length of UTF-8, mostly ASCII.
void append_random_character(std::string& text, std::mt19937& random, std::uint_fast32_t rarity) {
  auto const any = [&](std::uint32_t from, std::uint32_t end) {
    return from + static_cast<std::uint32_t>(random() % (end - from));
  };
  if (random() % rarity == 0) {
    auto const control = any(0, 0x22);
    return append_utf8(text, control == 0x20 ? '"' : control == 0x21 ? '\\' : control);
  }
  switch (random() % 8) {
    case 0: return append_utf8(text, any(0x80, 0x800));
    case 1: return append_utf8(text, any(0x800, 0xD800));
    case 2: return append_utf8(text, any(0x10000, 0x110000));
    case 3: return append_utf8(text, any(0x23, 0x5C));
    default: return append_utf8(text, any(0x5D, 0x80));
  }
}

}  // namespace

TEST_CASE("every byte below 0x80 is escaped as Boost.JSON escapes it") {
  for (int c = 0; c < 0x80; ++c) {
    std::string const text(1, static_cast<char>(c));
    CAPTURE(c);
    CHECK('"' + escaped(text) + '"' == boost::json::serialize(boost::json::value(text)));
  }
}

TEST_CASE("random UTF-8 is escaped as Boost.JSON escapes it, wherever in a text something is to be escaped") {
  std::mt19937 random(7);
  for (int round = 0; round < 5000; ++round) {
    // Long texts without anything to be escaped, texts of nothing else, and what is between.
    auto const rarity = 1 + random() % 60;
    std::string text;
    for (auto left = random() % 120; left > 0; --left) append_random_character(text, random, rarity);
    REQUIRE('"' + escaped(text) + '"' == boost::json::serialize(boost::json::value(text)));
  }
}

TEST_CASE("what is escaped is appended") {
  std::string out = "before";
  deployd::base::append_json_escaped(out, "");
  CHECK(out == "before");
  deployd::base::append_json_escaped(out, "\"");
  CHECK(out == "before\\\"");
}

TEST_CASE("bytes that are not UTF-8 are replaced one by one, wherever they stand") {
  std::string const bad = "\xEF\xBF\xBD";
  for (std::string const& before : {std::string(), std::string("abc"), std::string(16, 'a'), std::string("\u20ac")}) {
    for (std::string const& after : {std::string(), std::string("abc"), std::string(16, 'a'), std::string("\u20ac")}) {
      CAPTURE(before, after);
      CHECK(escaped(before + "\xFF" + after) == before + bad + after);
      CHECK(escaped(before + "\xE2\x82" + after) == before + bad + bad + after);
      CHECK(escaped(before + "\xC3\"" + after) == before + bad + "\\\"" + after);
      CHECK(escaped(before + "\xED\xA0\x80" + after) == before + bad + bad + bad + after);
    }
  }
}

TEST_CASE("whether anything was replaced is returned") {
  std::string out;
  CHECK(deployd::base::append_json_escaped(out, "plain, \"quoted\" and \u20ac"));
  CHECK_FALSE(deployd::base::append_json_escaped(out, "\xFF"));
  CHECK(deployd::base::append_json_escaped(out, ""));
}
