#include "server/redaction.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace deployd::server {
namespace {

constexpr std::string_view replacement = "[redacted]";

// Shorter ones are words that begin like a token.
constexpr std::size_t shortest_token = 20;
constexpr std::size_t shortest_jwt_part = 8;

/// Where a secret stands in a text.
struct Place {
  std::size_t at;
  std::size_t size;
};

bool is_base64url(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::size_t base64url_length(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_base64url) - text.begin());
}

/// The random part of `dpd_...`.
std::optional<Place> find_api_token(std::string_view text) noexcept {
  constexpr std::string_view prefix = "dpd_";
  for (auto at = text.find(prefix); at != text.npos; at = text.find(prefix, at + 1)) {
    auto const length = base64url_length(text.substr(at + prefix.size()));
    if (length >= shortest_token) return Place{at + prefix.size(), length};
  }
  return std::nullopt;
}

/// A compact JWS: `eyJ` is how base64url writes the `{"` that a header begins with.
std::optional<Place> find_jwt(std::string_view text) noexcept {
  for (auto at = text.find("eyJ"); at != text.npos; at = text.find("eyJ", at + 1)) {
    auto const header = base64url_length(text.substr(at));
    auto const claims_at = at + header + 1;
    if (header < shortest_jwt_part || claims_at >= text.size() || text[claims_at - 1] != '.') continue;
    auto const claims = base64url_length(text.substr(claims_at));
    if (claims < shortest_jwt_part) continue;
    auto end = claims_at + claims;
    if (end < text.size() && text[end] == '.') end += 1 + base64url_length(text.substr(end + 1));
    return Place{at, end - at};
  }
  return std::nullopt;
}

/// The password of `scheme://user:password@host`.
std::optional<Place> find_url_password(std::string_view text) noexcept {
  constexpr std::string_view mark = "://";
  for (auto at = text.find(mark); at != text.npos; at = text.find(mark, at + 1)) {
    auto const start = at + mark.size();
    auto const authority = text.substr(start, text.find_first_of("/? \t\n\"'", start) - start);
    auto const host = authority.rfind('@');
    auto const colon = authority.find(':');
    if (host == authority.npos || colon == authority.npos || colon + 1 >= host) continue;
    Place const place{start + colon + 1, host - colon - 1};
    if (text.substr(place.at, place.size) != replacement) return place;
  }
  return std::nullopt;
}

/// The value of `password=...`, in a URL's query or in a connection string.
std::optional<Place> find_password_parameter(std::string_view text) noexcept {
  constexpr std::string_view name = "password=";
  for (auto at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    auto const start = at + name.size();
    auto const size = std::min(text.find_first_of("& \t\n\"", start), text.size()) - start;
    if (size != 0 && text.substr(start, size) != replacement) return Place{start, size};
  }
  return std::nullopt;
}

}  // namespace

std::string redacted(std::string_view text) {
  std::string result(text);
  for (auto const find : {find_api_token, find_jwt, find_url_password, find_password_parameter})
    while (auto const place = find(result)) result.replace(place->at, place->size, replacement);
  return result;
}

}  // namespace deployd::server
