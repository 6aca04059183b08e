#include "server/fetch/cache_control.hpp"

#include <time.h>

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace deployd::server {
namespace {

using std::chrono::seconds;

constexpr std::int64_t longest = std::int64_t{1} << 31;

std::string_view trimmed(std::string_view text) noexcept {
  auto const first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<seconds> parse_seconds(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (char const c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min(longest, value * 10 + (c - '0'));
  }
  return seconds(value);
}

/// Takes the text before the next comma that is in no quoted string.
std::string_view take_directive(std::string_view& rest) noexcept {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != ','); ++end) {
    if (quoted && rest[end] == '\\')
      ++end;
    else if (rest[end] == '"')
      quoted = !quoted;
  }
  auto const directive = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(directive);
}

std::string_view unquoted(std::string_view text) noexcept {
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) return text.substr(1, text.size() - 2);
  return text;
}

}  // namespace

std::optional<seconds> max_age_of(std::string_view cache_control) {
  std::optional<seconds> least;
  while (!cache_control.empty()) {
    auto const directive = take_directive(cache_control);
    auto const equals = directive.find('=');
    if (equals == directive.npos || !boost::beast::iequals(directive.substr(0, equals), "max-age")) continue;
    auto const age = parse_seconds(unquoted(directive.substr(equals + 1)));
    if (age && (!least || *age < *least)) least = age;
  }
  return least;
}

std::optional<seconds> retry_after_of(std::string_view value, std::chrono::system_clock::time_point now) {
  value = trimmed(value);
  if (auto const given = parse_seconds(value)) return given;
  tm date{};
  std::string const text(value);
  auto const* const end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (end == nullptr || *end != '\0') return std::nullopt;
  auto const until = std::chrono::system_clock::from_time_t(::timegm(&date)) - now;
  return std::clamp(std::chrono::ceil<seconds>(until), seconds(0), seconds(longest));
}

}  // namespace deployd::server
