#include "server/fetch/url.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace deployd::server {
namespace {

using Result = boost::system::result<Url, UrlFault>;

constexpr std::size_t longest_url = 4096;
constexpr std::size_t longest_host = 253;

bool is_alphanumeric(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// True if all characters may stand in a URL (RFC 3986 §2).
bool is_clean(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || std::string_view("-._~:/?#[]@!$&'()*+,;=%").find(c) != std::string_view::npos;
  });
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  std::uint16_t port = 0;
  auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failure != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::uint16_t default_port(bool tls) noexcept {
  return tls ? 443 : 80;
}

/// Host and port, in place of those of `url`. What is wrong with them; empty when nothing.
std::string read_authority(std::string_view text, Url& url) {
  if (text.find('@') != text.npos) return "it holds a user or password";
  std::string_view port;
  if (text.starts_with('[')) {
    auto const end = text.find(']');
    if (end == text.npos) return "its address has no closing bracket";
    boost::system::error_code bad;
    url.host = lower(text.substr(1, end - 1));
    auto const address = boost::asio::ip::make_address_v6(url.host, bad);
    if (bad || address.scope_id() != 0) return "the text between the brackets is not an IPv6 address";
    port = text.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return "there is text after its address";
  } else {
    auto const end = std::min(text.find(':'), text.size());
    url.host = lower(text.substr(0, end));
    if (url.host.empty()) return "it has no host";
    if (url.host.size() > longest_host) return "its host is too long";
    if (!std::ranges::all_of(url.host, [](char c) { return is_alphanumeric(c) || c == '.' || c == '-' || c == '_'; }))
      return "its host has characters that a host name cannot have";
    port = text.substr(end);
  }
  if (port.size() <= 1) return {};
  auto const number = parse_port(port.substr(1));
  if (!number) return "its port is not a number from 1 to 65535";
  url.port = *number;
  return {};
}

/// RFC 3986 §5.2.4.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    auto const end = std::min(path.find('/', 1), path.size());
    auto const segment = path.substr(0, end);
    auto const last = end == path.size();
    path.remove_prefix(end);
    if (segment == "/.") {
      if (last) out += '/';
    } else if (segment == "/..") {
      out.erase(std::min(out.rfind('/'), out.size()));
      if (last) out += '/';
    } else {
      out += segment;
    }
  }
  return out.empty() ? "/" : out;
}

std::string normalized(std::string_view target) {
  auto const query = std::min(target.find('?'), target.size());
  auto path = std::string(target.substr(0, query));
  if (!path.starts_with('/')) path.insert(0, 1, '/');
  return without_dot_segments(path) + std::string(target.substr(query));
}

bool is_ipv6(Url const& url) noexcept {
  return url.host.find(':') != url.host.npos;
}

std::string_view path_of(Url const& url) noexcept {
  return std::string_view(url.target).substr(0, url.target.find('?'));
}

}  // namespace

Result parse_url(std::string_view text) {
  if (text.size() > longest_url) return UrlFault{"it is too long"};
  if (!is_clean(text)) return UrlFault{"it has characters that a URL cannot have"};
  auto const colon = text.find("://");
  if (colon == text.npos) return UrlFault{"it has no scheme such as https://"};
  auto const scheme = lower(text.substr(0, colon));
  if (scheme != "https" && scheme != "http") return UrlFault{"its scheme is not https"};
  if (text.find('#') != text.npos) return UrlFault{"it has a fragment"};
  Url url{.tls = scheme == "https"};
  url.port = default_port(url.tls);
  auto const rest = text.substr(colon + 3);
  auto const end = std::min(rest.find_first_of("/?"), rest.size());
  if (auto fault = read_authority(rest.substr(0, end), url); !fault.empty()) return UrlFault{std::move(fault)};
  url.target = normalized(rest.substr(end));
  return url;
}

Result resolve_reference(Url const& base, std::string_view reference) {
  reference = reference.substr(0, reference.find('#'));
  auto const scheme_end = reference.find_first_of(":/?");
  if (scheme_end != reference.npos && reference[scheme_end] == ':') return parse_url(reference);
  auto const scheme = std::string(base.tls ? "https:" : "http:");
  if (reference.starts_with("//")) return parse_url(scheme + std::string(reference));
  auto const origin = scheme + "//" + authority(base);
  if (reference.empty()) return base;
  if (reference.starts_with('/')) return parse_url(origin + std::string(reference));
  auto path = path_of(base);
  if (!reference.starts_with('?')) path = path.substr(0, path.rfind('/') + 1);
  return parse_url(origin + std::string(path) + std::string(reference));
}

std::string to_string(Url const& url) {
  return fmt::format("{}://{}{}", url.tls ? "https" : "http", authority(url), url.target);
}

std::string shown(Url const& url) {
  auto const path = path_of(url);
  return fmt::format("{}://{}{}{}", url.tls ? "https" : "http", authority(url), path,
                     path.size() < url.target.size() ? "?..." : "");
}

bool same_origin(Url const& one, Url const& other) noexcept {
  return one.tls == other.tls && one.port == other.port && one.host == other.host;
}

bool is_loopback(Url const& url) {
  if (url.host == "localhost") return true;
  boost::system::error_code not_numeric;
  auto const address = boost::asio::ip::make_address(url.host, not_numeric);
  return !not_numeric && address.is_loopback();
}

std::string authority(Url const& url) {
  auto const host = is_ipv6(url) ? "[" + url.host + "]" : url.host;
  return url.port == default_port(url.tls) ? host : fmt::format("{}:{}", host, url.port);
}

}  // namespace deployd::server
