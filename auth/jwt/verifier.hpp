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

/// What a good JWT says.
struct GoodJwt {
  JwtClaims claims;
  Validity validity;
};

/// Of the keys that a token's `kid` does not choose among, so many that suit its algorithm are tried: the price of a
/// forged token stays bounded.
inline constexpr std::size_t max_keys_tried = 16;

/// Not to be shared between threads.
class JwtVerifier {
 public:
  explicit JwtVerifier(std::shared_ptr<KeyRing const> keys);

  /// The signature is checked before the payload is looked at.
  boost::system::result<GoodJwt, Fault> verify(std::string_view token, std::chrono::system_clock::time_point now);

 private:
  /// Why no key has signed the token; nothing when one has.
  std::optional<Refusal> check_signature(Jwt const& jwt);

  std::shared_ptr<KeyRing const> ring_;
  SignatureVerifier signatures_;
};

}  // namespace deployd::auth
