// Why a bearer token was refused. For the log and the access log only, never sent to clients.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace deployd::auth {

enum class Refusal {
  no_credentials,  // no Authorization field, or a scheme other than Bearer
  malformed,       // not one token of RFC 6750, or not a strict compact JWT
  unknown_token,   // an API token that is not in the store
  revoked,
  expired,
  not_yet_valid,  // nbf
  no_expiry,      // a JWT without exp
  wrong_issuer,
  wrong_audience,
  algorithm,    // no configured key may be used with the algorithm
  unknown_key,  // a JWT although no keys are configured
  bad_signature,
  critical_extension,  // crit
  store_unavailable,   // not a refusal: the token cannot be checked now (503)
};

inline constexpr std::size_t refusals = static_cast<std::size_t>(Refusal::store_unavailable) + 1;

/// Returns a short name for logs, such as `expired`.
std::string_view to_string(Refusal why) noexcept;

/// Returns the reason as the end of a sentence whose subject is the token, such as `has expired`.
std::string_view in_words(Refusal why) noexcept;

/// A refusal, and details if its reason is not specific enough.
struct Fault {
  constexpr Fault(Refusal reason = Refusal::malformed, std::string_view what = {}) noexcept
      : why(reason), detail(what) {}

  friend constexpr bool operator==(Fault const& fault, Refusal reason) noexcept { return fault.why == reason; }

  Refusal why;
  std::string_view detail;  // such as `the header is not base64url`, a static text; empty if not needed
};

/// Credentials that were refused.
struct Refused {
  Refusal why;
  std::string report;  // the log line with the reason; empty if none is due
};

}  // namespace deployd::auth
