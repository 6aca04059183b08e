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

}  // namespace deployd::auth
