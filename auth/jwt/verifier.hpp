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
  boost::system::result<GoodJwt, Fault> verify(std::string_view token, std::chrono::system_clock::time_point now);

  /// Returns the `kid` of a refused token if no key has this name and the claims are good: a newer key set may have the
  /// key. Parses claims that no signature has confirmed. Tokens with HMAC never count, as their keys are not published.
  std::optional<std::string> missing_kid(std::string_view token, std::chrono::system_clock::time_point now) const;

 private:
  /// Returns why no key matches the signature of the token, or nothing if one does.
  std::optional<Refusal> check_signature(Jwt const& jwt);

  std::shared_ptr<KeyRing const> ring_;
  SignatureVerifier signatures_;
};

}  // namespace deployd::auth
