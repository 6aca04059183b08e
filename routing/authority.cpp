#include "routing/authority.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "base/percent_encoding.hpp"

namespace deployd::routing {
namespace {

using base::is_hex_digit;
using base::is_unreserved;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// True for unreserved or sub-delims (RFC 3986 §2.2, §2.3).
bool is_name_character(char c) noexcept {
  constexpr std::string_view sub_delims = "!$&'()*+,;=";
  return is_unreserved(c) || sub_delims.find(c) != std::string_view::npos;
}

/// reg-name = *( unreserved / pct-encoded / sub-delims ), which includes IPv4 addresses.
bool is_registered_name(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_name_character(text[at])) continue;
    if (text[at] != '%' || text.size() - at < 3 || !is_hex_digit(text[at + 1]) || !is_hex_digit(text[at + 2]))
      return false;
    at += 2;
  }
  return true;
}

bool is_ipv6_address(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return false;
  std::ranges::copy(text, terminated.begin());
  in6_addr address{};
  return ::inet_pton(AF_INET6, terminated.data(), &address) == 1;
}

/// IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )
bool is_future_address(std::string_view text) noexcept {
  if (!text.starts_with('v') && !text.starts_with('V')) return false;
  auto const dot = text.find('.');
  if (dot == std::string_view::npos || dot == 1 || dot + 1 == text.size()) return false;
  auto const is_address_character = [](char c) { return is_name_character(c) || c == ':'; };
  return std::ranges::all_of(text.substr(1, dot - 1), is_hex_digit) &&
         std::ranges::all_of(text.substr(dot + 1), is_address_character);
}

/// Returns the length of the host at the beginning of `text`, or nothing if there is none.
std::optional<std::size_t> host_length(std::string_view text) noexcept {
  if (!text.starts_with('[')) {
    auto const end = std::min(text.find(':'), text.size());
    return is_registered_name(text.substr(0, end)) ? std::optional(end) : std::nullopt;
  }
  auto const end = text.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  auto const literal = text.substr(1, end - 1);
  return is_ipv6_address(literal) || is_future_address(literal) ? std::optional(end + 1) : std::nullopt;
}

}  // namespace

bool is_host_and_port(std::string_view text) noexcept {
  auto const host = host_length(text);
  if (!host) return false;
  auto const rest = text.substr(*host);
  return rest.empty() || (rest.front() == ':' && std::ranges::all_of(rest.substr(1), is_digit));
}

bool is_http_authority(std::string_view text) noexcept {
  return !text.empty() && text.front() != ':' && is_host_and_port(text);
}

}  // namespace deployd::routing
