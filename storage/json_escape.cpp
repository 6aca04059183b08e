#include "storage/json_escape.hpp"

#include <array>

namespace deployd::storage {
namespace {

// 0: stands for itself; 'u': \u00XX; otherwise the character behind the backslash.
constexpr std::array<char, 256> escapes = [] {
  std::array<char, 256> table{};
  for (unsigned c = 0; c < 0x20; ++c) table[c] = 'u';
  table['\b'] = 'b';
  table['\t'] = 't';
  table['\n'] = 'n';
  table['\f'] = 'f';
  table['\r'] = 'r';
  table['"'] = '"';
  table['\\'] = '\\';
  return table;
}();

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const byte = static_cast<unsigned char>(text[i]);
    char const escape = escapes[byte];
    if (escape == 0) continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    out += '\\';
    out += escape;
    if (escape == 'u') {
      constexpr char digits[] = "0123456789abcdef";
      out += "00";
      out += digits[byte >> 4];
      out += digits[byte & 0xF];
    }
  }
  out.append(text, plain);
}

}  // namespace deployd::storage
