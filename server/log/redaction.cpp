#include "server/log/redaction.hpp"

#include <array>
#include <cstdint>

#include "server/log/secret_finder.hpp"

namespace deployd::server {
namespace {

constexpr std::string_view replacement = "[redacted]";

constexpr unsigned no_digit = 0xFF;

constexpr auto hex_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  for (unsigned i = 0; i < 10; ++i) values['0' + i] = static_cast<std::uint8_t>(i);
  for (unsigned i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}();

unsigned hex_value(char c) noexcept {
  return hex_values[static_cast<unsigned char>(c)];
}

/// True if a token starts with the last digit of a possible percent escape, as in `%2dpd_`. That is not treated as an
/// escape, so that the token is found in the text as it is.
bool hides_token(std::string_view from_last_digit) noexcept {
  return from_last_digit.starts_with("dpd_") || from_last_digit.starts_with("eyJ");
}

/// Returns the character at `at`, decoded repeatedly if it is encoded repeatedly: `%2565` is an `e`.
TextUnit unit_at(std::string_view text, std::size_t at, std::size_t& steps) noexcept {
  TextUnit unit{.character = text[at], .depth = 0, .begin = at, .end = at + 1};
  while (unit.character == '%' && text.size() - unit.end >= 2) {
    ++steps;
    auto const high = hex_value(text[unit.end]);
    auto const low = hex_value(text[unit.end + 1]);
    if (high == no_digit || low == no_digit || hides_token(text.substr(unit.end + 1))) break;
    unit.character = static_cast<char>(high << 4 | low);
    unit.end += 2;
    ++unit.depth;
  }
  return unit;
}

}  // namespace

std::string redacted(std::string_view text, std::size_t& steps) {
  SecretFinder finder;
  for (std::size_t at = 0; at < text.size();) {
    auto const unit = unit_at(text, at, steps);
    finder.take(unit);
    at = unit.end;
  }
  auto const places = finder.finish(text.size());
  steps += finder.steps();

  std::string result;
  result.reserve(text.size() + places.size() * replacement.size());
  std::size_t copied = 0;
  for (auto const& place : places) {
    result += text.substr(copied, place.begin - copied);
    result += replacement;
    copied = place.end;
  }
  result += text.substr(copied);
  return result;
}

std::string redacted(std::string_view text) {
  std::size_t steps = 0;
  return redacted(text, steps);
}

}  // namespace deployd::server
