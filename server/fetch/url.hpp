// URLs of http and https, as far as a client needs them.
#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace deployd::server {

/// A URL that can be requested (RFC 9110 §4.2): no user, no fragment.
struct Url {
  bool tls = true;        // https
  std::string host = {};  // in lower case; an IPv6 address without brackets
  std::uint16_t port = 443;
  std::string target = {};  // path and query; begins with `/`

  bool operator==(Url const&) const = default;
};

/// What is wrong with a text, as `it has no host`.
struct UrlFault {
  std::string what;
};

/// Parses an absolute URL. A user or password in it is refused, since URLs are shown.
boost::system::result<Url, UrlFault> parse_url(std::string_view text);

/// The URL that `reference` means in an answer of `base` (RFC 3986 §5.2): the value of a Location field. A fragment is
/// dropped.
boost::system::result<Url, UrlFault> resolve_reference(Url const& base, std::string_view reference);

std::string to_string(Url const& url);

/// The URL for logs and metrics: without its query, which may hold a key.
std::string shown(Url const& url);

/// True if both have the same scheme, host and port.
bool same_origin(Url const& one, Url const& other) noexcept;

/// True for `localhost` and numeric addresses of this machine alone (127.0.0.0/8, ::1).
bool is_loopback(Url const& url);

/// The value of the Host field: with the port where it is not the default one, IPv6 in brackets.
std::string authority(Url const& url);

}  // namespace deployd::server
