// Splits and decodes a JWT (RFC 7515 §3.1, §4.1). Nothing in it is verified.
#pragma once

#include <boost/system/result.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "auth/jwt/algorithm.hpp"
#include "auth/refusal.hpp"

namespace deployd::auth {

/// The parts of a token. Views point into the token.
struct Jwt {
  Algorithm algorithm;  // as named by the token; the key decides whether it may be used
  std::optional<std::string> kid;
  std::string_view signed_text;  // header and payload in base64url, with the dot between them
  std::string payload;           // decoded bytes, not parsed yet
  std::string signature;
};

/// Reads the compact serialization strictly: three segments of canonical base64url, and a header that is a JSON object
/// without duplicate members. The time is proportional to the length of the token, which the caller limits. Keys and
/// references to keys in the header (`jwk`, `jku`, `x5u`, `x5c`, `x5t`) are ignored: only configured keys are used.
///
/// Fails with `Refusal::algorithm` for an unsupported `alg` (including `none`), `Refusal::critical_extension` for any
/// `crit`, otherwise with `Refusal::malformed`.
boost::system::result<Jwt, Fault> read_jwt(std::string_view token);

}  // namespace deployd::auth
