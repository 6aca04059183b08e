// Why a bearer token was not accepted: for the log and the access log only, clients are never told.
#pragma once

#include <cstddef>
#include <string>
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
  unknown_key,  // a JWT while there is no key at all
  bad_signature,
  critical_extension,  // crit
  store_unavailable,   // not a refusal: nobody can tell now (503)
};

inline constexpr std::size_t refusals = static_cast<std::size_t>(Refusal::store_unavailable) + 1;

/// A short name for logs, as `expired`.
std::string_view to_string(Refusal why) noexcept;

/// The reason as the end of a sentence that begins with the token, as `has expired`.
std::string_view in_words(Refusal why) noexcept;

/// A refusal and, where its reason leaves that open, what exactly is wrong.
struct Fault {
  constexpr Fault(Refusal reason = Refusal::malformed, std::string_view what = {}) noexcept
      : why(reason), detail(what) {}

  friend constexpr bool operator==(Fault const& fault, Refusal reason) noexcept { return fault.why == reason; }

  Refusal why;
  std::string_view detail;  // as `the header is not base64url`, a static text; empty where the reason says it all
};

/// Credentials that were refused.
struct Refused {
  Refusal why;
  std::string report;  // the line of the log that says why in words; empty when none is due
};

}  // namespace deployd::auth
