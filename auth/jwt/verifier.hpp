// Verifies JWTs with the keys and rules of a key ring.
#pragma once

#include <boost/system/result.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/jwt/claims.hpp"
#include "auth/jwt/jwt.hpp"
#include "auth/jwt/key_ring.hpp"
#include "auth/jwt/signature_verifier.hpp"
#include "auth/refusal.hpp"

namespace deployd::auth {

/// The verified content of a JWT.
struct GoodJwt {
  JwtClaims claims;
  Validity validity;
};

/// The number of keys tried for a token whose `kid` does not select a key. It limits the cost of a forged token.
inline constexpr std::size_t max_keys_tried = 16;

/// Not to be shared between threads.
class JwtVerifier {
 public:
  explicit JwtVerifier(std::shared_ptr<KeyRing const> keys);

  /// Checks the signature before parsing the payload.
  ///
  /// If the token is refused, no key has the name of its `kid` and its claims are good, `missing_kid` is set, unless it
  /// is null: a newer key set may have the key. The claims are then parsed although no signature has confirmed them.
  /// Tokens with HMAC never count, as their keys are not published.
  boost::system::result<GoodJwt, Fault> verify(std::string_view token, std::chrono::system_clock::time_point now,
                                               std::optional<std::string>* missing_kid = nullptr);

 private:
  /// Returns true if no key has the name of the token's `kid`, and its claims are good.
  bool misses_key(Jwt const& jwt, std::chrono::system_clock::time_point now) const;

  /// Returns why no key matches the signature of the token, or nothing if one does.
  std::optional<Refusal> check_signature(Jwt const& jwt);

  std::shared_ptr<KeyRing const> ring_;
  SignatureVerifier signatures_;
};

}  // namespace deployd::auth
