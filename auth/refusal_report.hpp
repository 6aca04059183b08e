// Describes for the operator why a token was refused.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "auth/jwt/key_ring.hpp"
#include "auth/refusal.hpp"
#include "storage/store.hpp"

namespace deployd::auth {

/// Returns `text` in quotes, as printable ASCII and truncated to a length that fits into a line: text from clients must
/// not look like anything else.
std::string in_quotes(std::string_view text);

/// Formats a duration, such as `3 h 12 min`. `span` must not be negative.
std::string in_units(std::chrono::seconds span);

/// Describes in one line of limited length why a token other than an API token was refused at `now`: the reason, what
/// the token contains (alg, kid, iss, aud and expiry, all of them unverified), and what the keys and rules of `ring`
/// require. Never contains the signature. Reads at most 64 KiB of each part of the token.
std::string report_refusal(Fault const& fault, std::string_view token, KeyRing const& ring,
                           std::chrono::system_clock::time_point now);

/// The same for an API token that is in the store.
std::string report_refusal(Refusal why, storage::ApiToken const& token, std::chrono::system_clock::time_point now);

/// The same if only the reason is known.
std::string report_refusal(Fault const& fault);

}  // namespace deployd::auth
