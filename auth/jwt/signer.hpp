// Signs HS256 JWTs with the configured secret, for `deployd token sign`.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace deployd::auth {

struct Claims {
  std::string subject;
  std::chrono::sys_seconds issued_at;
  std::chrono::sys_seconds expires;
  std::optional<std::string> issuer = {};
  std::optional<std::string> audience = {};
};

/// Returns a JWT in compact serialization (RFC 7515 §3.1), signed with HMAC-SHA256. Throws KeyError if `secret` has
/// fewer than 32 bytes (RFC 7518 §3.2). Throws std::invalid_argument for a claim that is not UTF-8, since no reader
/// would accept the token.
std::string sign_hs256(Claims const& claims, std::string_view secret);

}  // namespace deployd::auth
