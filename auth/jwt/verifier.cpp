#include "auth/jwt/verifier.hpp"

#include <algorithm>
#include <utility>

namespace deployd::auth {

JwtVerifier::JwtVerifier(std::shared_ptr<KeyRing const> keys) : ring_(std::move(keys)) {}

std::optional<Refusal> JwtVerifier::check_signature(Jwt const& jwt) {
  auto const& keys = ring_->keys();
  if (keys.empty()) return Refusal::unknown_key;
  // A kid that names a configured JWK selects it. Any other kid is ignored, since PEM keys have no name.
  bool const selected = jwt.kid && std::ranges::any_of(keys, [&](Key const& key) { return key.kid == jwt.kid; });

  std::size_t tried = 0;
  for (auto const& key : keys) {
    if (selected && key.kid != jwt.kid) continue;
    if (!suits(key, jwt.algorithm)) continue;
    if (signatures_.verify(key, jwt.algorithm, jwt.signed_text, jwt.signature)) return std::nullopt;
    if (++tried == max_keys_tried) break;
  }
  return tried == 0 ? Refusal::algorithm : Refusal::bad_signature;
}

boost::system::result<GoodJwt, Fault> JwtVerifier::verify(std::string_view token,
                                                          std::chrono::system_clock::time_point now,
                                                          std::optional<std::string>* missing_kid) {
  auto const jwt = read_jwt(token);
  if (!jwt) return jwt.error();
  if (auto const refusal = check_signature(*jwt)) {
    if (missing_kid != nullptr && misses_key(*jwt, now)) *missing_kid = jwt->kid;
    return Fault(*refusal);
  }
  auto claims = read_claims(jwt->payload);
  if (!claims) return claims.error();
  auto const validity = check_claims(*claims, *ring_, now);
  if (!validity) return Fault(validity.error());
  return GoodJwt{.claims = *std::move(claims), .validity = *validity};
}

bool JwtVerifier::misses_key(Jwt const& jwt, std::chrono::system_clock::time_point now) const {
  if (!jwt.kid || is_hmac(jwt.algorithm)) return false;
  if (std::ranges::any_of(ring_->keys(), [&](Key const& key) { return key.kid == jwt.kid; })) return false;
  auto const claims = read_claims(jwt.payload);
  return claims && check_claims(*claims, *ring_, now);
}

}  // namespace deployd::auth
