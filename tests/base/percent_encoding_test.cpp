#include "base/percent_encoding.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "base/utf8.hpp"

using namespace deployd::base;
using namespace std::string_view_literals;

TEST_CASE("percent escapes are decoded once, in either case of hexadecimal digits") {
  struct Row {
    std::string_view text;
    std::string_view want;
  };
  auto const row = GENERATE(Row{"", ""}, Row{"abc", "abc"}, Row{"%41", "A"}, Row{"%2f%2F", "//"},
                            Row{"%25%34%31", "%41"}, Row{"%2541", "%41"}, Row{"a%00b", "a\0b"sv},
                            Row{"%C3%A4", "\xC3\xA4"}, Row{"%ff", "\xFF"}, Row{"a%20b", "a b"});
  CAPTURE(row.text);
  CHECK(percent_decode(row.text, PlusSign::literal) == row.want);
}

TEST_CASE("a plus sign is a space only where that is asked for") {
  CHECK(percent_decode("a+b%2B+", PlusSign::space) == "a b+ ");
  CHECK(percent_decode("a+b%2B+", PlusSign::literal) == "a+b++");
}

TEST_CASE("an escape that is incomplete or not hexadecimal decodes to nothing") {
  auto const text = GENERATE("%", "a%", "%4", "abc%f", "%g0", "%0g", "%%41", "% 41", "%+1", "%-1", "%0x41", "%u0041");
  CAPTURE(text);
  CHECK(percent_decode(text, PlusSign::literal) == std::nullopt);
  CHECK(percent_decode(text, PlusSign::space) == std::nullopt);
}

TEST_CASE("well-formed UTF-8 is recognised up to the edges of each length") {
  auto const text = GENERATE(""sv, "plain"sv, "\0"sv, "\x7F"sv, "\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv,
                             "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv, "\xEF\xBF\xBF"sv, "\xF0\x90\x80\x80"sv,
                             "\xF4\x8F\xBF\xBF"sv, "a\xC3\xA4\xE2\x82\xAC\xF0\x9D\x84\x9Ez"sv);
  CAPTURE(text);
  CHECK(is_utf8(text));
  CHECK(to_valid_utf8(text) == text);
}

TEST_CASE("ill-formed UTF-8 is refused, and each bad byte shown as U+FFFD") {
  struct Row {
    std::string_view why;
    std::string_view text;
    int bad_bytes;
  };
  auto const row = GENERATE(Row{"a continuation alone", "\x80", 1}, Row{"two bytes cut short", "\xC3", 1},
                            Row{"three bytes cut short", "\xE2\x82", 2}, Row{"four bytes cut short", "\xF0\x9D\x84", 3},
                            Row{"overlong slash", "\xC0\xAF", 2}, Row{"overlong of two", "\xC1\xBF", 2},
                            Row{"overlong of three", "\xE0\x9F\xBF", 3}, Row{"overlong of four", "\xF0\x8F\xBF\xBF", 4},
                            Row{"high surrogate", "\xED\xA0\x80", 3}, Row{"low surrogate", "\xED\xBF\xBF", 3},
                            Row{"above U+10FFFF", "\xF4\x90\x80\x80", 4}, Row{"lead byte F5", "\xF5\x80\x80\x80", 4},
                            Row{"FE", "\xFE", 1}, Row{"FF", "\xFF", 1}, Row{"bad third byte", "\xE2\x82\x28", 2},
                            Row{"bad fourth byte", "\xF0\x9D\x84\x41", 3});
  CAPTURE(row.why);
  CHECK_FALSE(is_utf8(row.text));
  CHECK_FALSE(is_utf8("abc" + std::string(row.text)));
  auto const shown = to_valid_utf8("<" + std::string(row.text) + ">");
  CHECK(is_utf8(shown));
  int replaced = 0;
  for (auto at = shown.find("\xEF\xBF\xBD"); at != std::string::npos; at = shown.find("\xEF\xBF\xBD", at + 3))
    ++replaced;
  CHECK(replaced == row.bad_bytes);
  CHECK(shown.front() == '<');
  CHECK(shown.back() == '>');
}

TEST_CASE("whatever is percent-encoded decodes to itself, with every byte but the unreserved ones escaped") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  std::string encoded;
  append_percent_encoded(encoded, all);
  CHECK(percent_decode(encoded, PlusSign::literal) == all);
  CHECK(percent_decode(encoded, PlusSign::space) == all);
  CHECK(encoded.size() == 66 + 3 * (256 - 66));

  std::string out = "x=";
  append_percent_encoded(out, "a-._~Z9 &=+/\xC3\xA4");
  CHECK(out == "x=a-._~Z9%20%26%3D%2B%2F%C3%A4");
}
