#include "auth/base64url.hpp"

#include <array>
#include <cstdint>

namespace deployd::auth {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t no_digit = 0xFF;

constexpr auto digit_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

}  // namespace

std::optional<std::string> decode_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (char const c : text) {
    auto const value = digit_values[static_cast<unsigned char>(c)];
    if (value == no_digit) return std::nullopt;
    bits = (bits << 6) | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes.push_back(static_cast<char>((bits >> held) & 0xFF));
    }
  }
  // If the spare bits could differ, one issued token would have several valid spellings.
  if ((bits & ((1U << held) - 1)) != 0) return std::nullopt;
  return bytes;
}

bool is_base64url_of(std::string_view text, std::size_t count) noexcept {
  if (text.size() != (count * 8 + 5) / 6) return false;
  std::uint8_t last = 0;
  for (char const c : text) {
    last = digit_values[static_cast<unsigned char>(c)];
    if (last == no_digit) return false;
  }
  auto const spare = text.size() * 6 - count * 8;
  return (last & ((1U << spare) - 1)) == 0;
}

std::string encode_base64url(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() / 3 * 4 + 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (char const c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    held += 8;
    while (held >= 6) {
      held -= 6;
      text.push_back(alphabet[(bits >> held) & 0x3F]);
    }
  }
  if (held > 0) text.push_back(alphabet[(bits << (6 - held)) & 0x3F]);
  return text;
}

}  // namespace deployd::auth
