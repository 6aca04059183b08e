#include "auth/refusal.hpp"

namespace deployd::auth {

std::string_view to_string(Refusal why) noexcept {
  switch (why) {
    case Refusal::no_credentials: return "no credentials";
    case Refusal::malformed: return "malformed";
    case Refusal::unknown_token: return "unknown token";
    case Refusal::revoked: return "revoked";
    case Refusal::expired: return "expired";
    case Refusal::not_yet_valid: return "not yet valid";
    case Refusal::no_expiry: return "no expiry";
    case Refusal::wrong_issuer: return "wrong issuer";
    case Refusal::wrong_audience: return "wrong audience";
    case Refusal::algorithm: return "algorithm not allowed";
    case Refusal::unknown_key: return "unknown key";
    case Refusal::bad_signature: return "bad signature";
    case Refusal::critical_extension: return "unknown critical extension";
    case Refusal::store_unavailable: return "store unavailable";
  }
  return "unknown";
}

std::string_view in_words(Refusal why) noexcept {
  switch (why) {
    case Refusal::no_credentials: return "is missing: the Authorization field does not have the form 'Bearer TOKEN'";
    case Refusal::malformed: return "is malformed";
    case Refusal::unknown_token: return "is an API token that the store does not have";
    case Refusal::revoked: return "has been revoked";
    case Refusal::expired: return "has expired";
    case Refusal::not_yet_valid: return "is not valid yet";
    case Refusal::no_expiry: return "has no expiry (exp)";
    case Refusal::wrong_issuer: return "is of another issuer (iss)";
    case Refusal::wrong_audience: return "is for another audience (aud)";
    case Refusal::algorithm: return "has an algorithm (alg) that none of its keys may be used with";
    case Refusal::unknown_key: return "is a JWT, and no key for JWTs is configured, or fetched yet";
    case Refusal::bad_signature: return "has a signature that was made with none of the configured keys";
    case Refusal::critical_extension: return "has a critical extension (crit), of which none is supported";
    case Refusal::store_unavailable: return "cannot be looked up: the store is not available";
  }
  return "is refused";
}

}  // namespace deployd::auth
