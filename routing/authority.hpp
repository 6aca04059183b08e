// The authority of a URI, as in Host and the absolute form of a target (RFC 3986 §3.2, RFC 9110 §7.2).
#pragma once

#include <string_view>

namespace deployd::routing {

/// True if `text` is `uri-host [ ":" port ]`: a registered name, which may be empty, an IPv4 address, or a literal in
/// brackets (an IPv6 address without a zone, or IPvFuture); the port may be empty.
bool is_host_and_port(std::string_view text) noexcept;

/// True if `text` is the authority of an http or https URI: the same with a non-empty host (RFC 9110 §4.2.1). A user
/// name or password is not allowed (RFC 9110 §4.2.4).
bool is_http_authority(std::string_view text) noexcept;

}  // namespace deployd::routing
