#include "server/redaction.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "server/secret_finder.hpp"

namespace deployd::server {
namespace {

using Places = std::vector<SecretFinder::Place>;

constexpr std::string_view replacement = "[redacted]";

std::optional<unsigned> hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

/// The byte that two hexadecimal digits at `at` stand for.
std::optional<char> hex_byte(std::string_view text, std::size_t at, std::size_t& steps) noexcept {
  if (text.size() - at < 2) return std::nullopt;
  steps += 2;
  auto const high = hex_value(text[at]);
  auto const low = hex_value(text[at + 1]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(*high * 16 + *low);
}

/// The character at `at`, decoded as often as it is encoded: `%2565` is an `e`.
TextUnit decoded_unit(std::string_view text, std::size_t at, std::size_t& steps) noexcept {
  ++steps;
  TextUnit unit{.character = text[at], .depth = 0, .begin = at, .end = at + 1};
  while (unit.character == '%') {
    auto const byte = hex_byte(text, unit.end, steps);
    if (!byte) break;
    unit.character = *byte;
    unit.end += 2;
    ++unit.depth;
  }
  return unit;
}

Places places_as_written(std::string_view text, std::size_t& steps) {
  SecretFinder finder;
  for (std::size_t at = 0; at < text.size(); ++at)
    finder.take({.character = text[at], .depth = 0, .begin = at, .end = at + 1});
  finder.finish(text.size());
  steps += finder.steps();
  return finder.places();
}

Places places_as_decoded(std::string_view text, std::size_t& steps) {
  SecretFinder finder;
  for (std::size_t at = 0; at < text.size();) {
    auto const unit = decoded_unit(text, at, steps);
    finder.take(unit);
    at = unit.end;
  }
  finder.finish(text.size());
  steps += finder.steps();
  return finder.places();
}

/// `text` with a replacement for each of `places`, which are in the order of their beginnings.
std::string without(std::string_view text, Places const& places, std::size_t& steps) {
  std::string result;
  result.reserve(text.size());
  std::size_t copied = 0;
  for (auto place = places.begin(); place != places.end(); ++steps) {
    auto const begin = place->begin;
    auto end = place->end;
    for (++place; place != places.end() && place->begin <= end; ++place) end = std::max(end, place->end);
    result += text.substr(copied, begin - copied);
    result += replacement;
    copied = end;
  }
  result += text.substr(copied);
  steps += result.size();
  return result;
}

}  // namespace

std::string redacted(std::string_view text, std::size_t& steps) {
  auto places = places_as_written(text, steps);
  if (text.find('%') != std::string_view::npos) {
    auto const decoded = places_as_decoded(text, steps);
    Places both;
    both.reserve(places.size() + decoded.size());
    std::ranges::merge(places, decoded, std::back_inserter(both), {}, &SecretFinder::Place::begin,
                       &SecretFinder::Place::begin);
    places = std::move(both);
  }
  return without(text, places, steps);
}

std::string redacted(std::string_view text) {
  std::size_t steps = 0;
  return redacted(text, steps);
}

}  // namespace deployd::server
