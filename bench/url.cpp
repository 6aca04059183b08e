#include "bench/url.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace deployd::bench {
namespace {

bool is_port(std::string_view text) {
  unsigned number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 1 && number <= 65535;
}

}  // namespace

Url parse_url(std::string_view text) {
  Url url;
  // A scheme is case-insensitive (RFC 3986 §3.1).
  auto const scheme = text.substr(0, text.find("://"));
  url.secure = boost::beast::iequals(scheme, "https");
  if (scheme.size() == text.size() || (!url.secure && !boost::beast::iequals(scheme, "http")))
    throw std::invalid_argument("must begin with http:// or https://");
  text.remove_prefix(scheme.size() + 3);

  auto const slash = std::min(text.find_first_of("/?"), text.size());
  url.authority = text.substr(0, slash);
  std::string target(text.substr(slash, text.find('#') - slash));
  if (target.empty() || target.front() == '?') target.insert(0, "/");
  if (url.authority.find('@') != std::string::npos) throw std::invalid_argument("user names are not supported");

  std::string_view host = url.authority;
  std::string_view port;
  if (host.starts_with('[')) {
    auto const bracket = host.find(']');
    if (bracket == std::string_view::npos) throw std::invalid_argument("the address has no closing ]");
    port = host.substr(bracket + 1);
    host = host.substr(1, bracket - 1);
    if (!port.empty() && port.front() != ':') throw std::invalid_argument("the port has no : before it");
  } else {
    auto const colon = std::min(host.find(':'), host.size());
    port = host.substr(colon);
    host = host.substr(0, colon);
  }
  if (host.empty()) throw std::invalid_argument("names no host");
  if (!port.empty()) port.remove_prefix(1);
  url.host = host;
  url.port = !port.empty() ? port : url.secure ? "443" : "80";
  if (!is_port(url.port)) throw std::invalid_argument("'" + url.port + "' is not a port");
  auto const bad = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; };
  if (std::any_of(url.authority.begin(), url.authority.end(), bad) || std::any_of(target.begin(), target.end(), bad))
    throw std::invalid_argument("holds a space or control character; write it as %20");
  url.target = UrlTemplate(target);
  return url;
}

}  // namespace deployd::bench
