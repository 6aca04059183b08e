// A JWT taken apart (RFC 7515 §3.1, §4.1), before anything about it is believed.
#pragma once

#include <boost/system/result.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "auth/jwt/algorithm.hpp"
#include "auth/refusal.hpp"

namespace deployd::auth {

/// The parts of a token. Views are into the token that was read.
struct Jwt {
  Algorithm algorithm;  // what the token asks for; the key decides
  std::optional<std::string> kid;
  std::string_view signed_text;  // header and payload in base64url, with the dot between
  std::string payload;           // its bytes, not looked at yet
  std::string signature;
};

/// Reads the compact serialization strictly: three segments of canonical base64url, and a header that is a JSON object
/// without duplicate members. Takes time in proportion to the length of the token, which the caller bounds. Keys and
/// references to keys in the header (`jwk`, `jku`, `x5u`, `x5c`, `x5t`) mean nothing: only configured keys are used.
///
/// `Refusal::algorithm` for an `alg` that is not supported (`none` among them), `Refusal::critical_extension` for any
/// `crit`, else `Refusal::malformed`.
boost::system::result<Jwt, Fault> read_jwt(std::string_view token);

}  // namespace deployd::auth
