// Why a token was refused, in words for the operator.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "auth/jwt/key_ring.hpp"
#include "auth/refusal.hpp"
#include "storage/store.hpp"

namespace deployd::auth {

/// `text` between quotes, in printable ASCII and cut to a length that a line can have: what strangers write must not
/// pass for anything else.
std::string in_quotes(std::string_view text);

/// How long ago, or in how long, a time is, as `3 h 12 min`; `span` is not negative.
std::string in_units(std::chrono::seconds span);

/// Says in one line of bounded length why a token that is no API token was refused at `now`: the reason, what the token
/// says of itself (alg, kid, iss, aud and when it expires, nothing of which need be true), and what the keys and rules
/// of `ring` ask for. Never its signature. At most 64 KiB of each part of the token are looked at.
std::string report_refusal(Fault const& fault, std::string_view token, KeyRing const& ring,
                           std::chrono::system_clock::time_point now);

/// The same for an API token that the store has.
std::string report_refusal(Refusal why, storage::ApiToken const& token, std::chrono::system_clock::time_point now);

/// The same where no more is known than the reason.
std::string report_refusal(Fault const& fault);

}  // namespace deployd::auth
