// The claims of a JWT that decide whether it is valid at a time (RFC 7519 §4.1).
#pragma once

#include <boost/system/result.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt/key_ring.hpp"
#include "auth/refusal.hpp"

namespace deployd::auth {

/// A NumericDate in milliseconds; fractions of seconds are allowed.
using NumericDate = std::chrono::sys_time<std::chrono::milliseconds>;

struct JwtClaims {
  std::optional<std::string> issuer;
  std::optional<std::string> subject;
  std::vector<std::string> audiences;  // from a string or an array of strings
  NumericDate expires;
  std::optional<NumericDate> not_before;
};

/// Reads a payload. Returns `Refusal::no_expiry` without `exp`, and `Refusal::malformed` for anything but a JSON object
/// without duplicate members, for a registered claim of another type than in RFC 7519, and for a date beyond ±2^53
/// seconds. Some issuers write `sub` as a number: an integer is converted to its decimal text.
boost::system::result<JwtClaims, Fault> read_claims(std::string_view payload);

/// The period in which a JWT is valid, leeway included.
struct Validity {
  std::chrono::system_clock::time_point from;
  std::chrono::system_clock::time_point until;  // exclusive
};

/// Checks claims against the rules of a key ring. Fails with `Refusal::wrong_issuer`, `wrong_audience`, `expired` or
/// `not_yet_valid`.
boost::system::result<Validity, Refusal> check_claims(JwtClaims const& claims, KeyRing const& rules,
                                                      std::chrono::system_clock::time_point now);

}  // namespace deployd::auth
