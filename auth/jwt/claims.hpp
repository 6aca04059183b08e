// The claims of a JWT that decide whether it is good now (RFC 7519 §4.1).
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

/// NumericDate in the precision that is kept of it; fractions of seconds are allowed.
using NumericDate = std::chrono::sys_time<std::chrono::milliseconds>;

struct JwtClaims {
  std::optional<std::string> issuer;
  std::optional<std::string> subject;
  std::vector<std::string> audiences;  // of a string or an array of strings
  NumericDate expires;
  std::optional<NumericDate> not_before;
};

/// Reads a payload. `Refusal::no_expiry` without `exp`; `Refusal::malformed` for what is no JSON object without
/// duplicate members, for a registered claim of another type than RFC 7519 gives it, and for a date beyond ±2^53
/// seconds. Issuers that number their users write `sub` as a number: a whole one is taken as its decimal text.
boost::system::result<JwtClaims, Fault> read_claims(std::string_view payload);

/// From when until when a JWT is good, leeway included.
struct Validity {
  std::chrono::system_clock::time_point from;
  std::chrono::system_clock::time_point until;  // no longer good at this time
};

/// Checks claims against the rules of a ring: `Refusal::wrong_issuer`, `wrong_audience`, `expired`, `not_yet_valid`.
boost::system::result<Validity, Refusal> check_claims(JwtClaims const& claims, KeyRing const& rules,
                                                      std::chrono::system_clock::time_point now);

}  // namespace deployd::auth
