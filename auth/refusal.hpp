// Why a bearer token was not accepted: for the log only, clients are never told.
#pragma once

#include <cstddef>
#include <string_view>

namespace deployd::auth {

enum class Refusal {
  no_credentials,  // no Authorization field, or another scheme than Bearer
  malformed,       // not one token of RFC 6750, or not a strict compact JWT
  unknown_token,   // an API token that the store does not have
  revoked,
  expired,
  not_yet_valid,  // nbf
  no_expiry,      // a JWT without exp
  wrong_issuer,
  wrong_audience,
  algorithm,    // an algorithm that no configured key may be used with
  unknown_key,  // a kid or algorithm for which there is no key
  bad_signature,
  critical_extension,  // crit
  store_unavailable,   // not a refusal: nobody can tell now (503)
};

inline constexpr std::size_t refusals = static_cast<std::size_t>(Refusal::store_unavailable) + 1;

/// A short name for logs, as `expired`.
std::string_view to_string(Refusal why) noexcept;

}  // namespace deployd::auth
