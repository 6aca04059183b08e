// A key that verifies signatures, and the algorithms that it may be used with.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/jwt/algorithm.hpp"

struct evp_pkey_st;  // EVP_PKEY of OpenSSL

namespace deployd::auth {

enum class KeyKind : unsigned char { hmac, rsa, p256, p384, p521, ed25519, ed448 };

inline constexpr std::size_t min_secret_bytes = 32;
inline constexpr int min_rsa_bits = 2048;

/// Immutable after loading. Safe to read from any thread.
struct Key {
  KeyKind kind;
  std::string secret;                       // hmac only
  std::shared_ptr<evp_pkey_st> public_key;  // all but hmac
  std::optional<Algorithm> only = {};       // the `alg` of a JWK: the only algorithm that this key may be used with
  std::optional<std::string> kid = {};      // the `kid` of a JWK
};

/// True if the key may be used with the algorithm. This depends on the kind, the size and the `alg` of the key; the
/// token only names an algorithm. An HMAC secret must be as long as the hash (RFC 7518 §3.2). A JWK whose `alg` is a
/// name of EdDSA may be used by its other names (RFC 9864): for a key of one curve, each name means the same algorithm.
bool suits(Key const& key, Algorithm algorithm) noexcept;

/// Makes an HMAC key. Throws KeyError naming `origin` if the secret has fewer than 32 bytes.
Key make_hmac_key(std::string_view secret, std::string const& origin);

/// Wraps a key that OpenSSL has read. Throws KeyError naming `origin` for a kind that no algorithm uses, for RSA keys
/// of fewer than 2048 bits, and for numbers that are not a valid key of their kind.
Key make_public_key(std::shared_ptr<evp_pkey_st> key, std::string const& origin);

}  // namespace deployd::auth
