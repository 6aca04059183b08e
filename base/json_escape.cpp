#include "base/json_escape.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#include "base/utf8.hpp"

namespace deployd::base {
namespace {

// 0: not escaped; 'u': \u00XX; not_ascii: the first byte of a UTF-8 sequence, if it is valid; otherwise the character
// after the backslash.
constexpr char not_ascii = '\x80';
constexpr std::array<char, 256> escapes = [] {
  std::array<char, 256> table{};
  for (unsigned c = 0; c < 0x20; ++c) table[c] = 'u';
  for (unsigned c = 0x80; c < table.size(); ++c) table[c] = not_ascii;
  table['\b'] = 'b';
  table['\t'] = 't';
  table['\n'] = 'n';
  table['\f'] = 'f';
  table['\r'] = 'r';
  table['"'] = '"';
  table['\\'] = '\\';
  return table;
}();

/// Returns the number of bytes at the beginning of `text`, a multiple of eight, that are ASCII and need no escape.
std::size_t plain_prefix(std::string_view text) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t high_bits = 0x80 * ones;
  std::size_t length = 0;
  while (text.size() - length >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + length, sizeof word);
    // Sets the high bit of each byte that was zero, and possibly of bytes above one: enough to detect that there is
    // one.
    auto const has_zero = [](std::uint64_t bytes) { return (bytes - ones) & ~bytes & high_bits; };
    auto const control_or_not_ascii = ((word - 0x20 * ones) | word) & high_bits;
    if ((control_or_not_ascii | has_zero(word ^ ('"' * ones)) | has_zero(word ^ ('\\' * ones))) != 0) break;
    length += sizeof word;
  }
  return length;
}

}  // namespace

bool append_json_escaped(std::string& out, std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  bool all_utf8 = true;
  std::size_t plain = 0;
  for (std::size_t i = plain_prefix(text); i < text.size(); ++i) {
    auto const byte = static_cast<unsigned char>(text[i]);
    char const escape = escapes[byte];
    if (escape == 0) continue;
    if (escape == not_ascii) {
      if (auto const length = utf8_sequence_length(text, i); length > 0) {
        i += length - 1;
        continue;
      }
    }
    out.append(text, plain, i - plain);
    plain = i + 1;
    if (escape == not_ascii) {
      out += replacement_character;
      all_utf8 = false;
      continue;
    }
    out += '\\';
    out += escape;
    if (escape == 'u') {
      out += "00";
      out += digits[byte >> 4];
      out += digits[byte & 0xF];
    }
  }
  out.append(text, plain);
  return all_utf8;
}

std::string json_quoted(std::string_view text) {
  std::string result = "\"";
  append_json_escaped(result, text);
  return result += '"';
}

}  // namespace deployd::base
