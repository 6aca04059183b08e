#include "auth/jwt/key.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>

#include "auth/key_error.hpp"

namespace deployd::auth {
namespace {

KeyKind kind_of(EVP_PKEY const* key, std::string const& origin) {
  if (EVP_PKEY_is_a(key, "RSA")) return KeyKind::rsa;
  if (EVP_PKEY_is_a(key, "ED25519")) return KeyKind::ed25519;
  if (EVP_PKEY_is_a(key, "ED448")) return KeyKind::ed448;
  if (EVP_PKEY_is_a(key, "EC")) {
    std::array<char, 80> name{};
    std::size_t length = 0;
    EVP_PKEY_get_group_name(key, name.data(), name.size(), &length);
    std::string_view const curve(name.data(), length);
    if (curve == "prime256v1") return KeyKind::p256;
    if (curve == "secp384r1") return KeyKind::p384;
    if (curve == "secp521r1") return KeyKind::p521;
    throw KeyError(origin + ": the curve is not P-256, P-384 or P-521");
  }
  throw KeyError(origin + ": the key is not an RSA, EC, Ed25519 or Ed448 key");
}

/// False for points off their curve and invalid moduli.
bool is_plausible(EVP_PKEY* key) {
  std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> const context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr), EVP_PKEY_CTX_free);
  bool const plausible = context && EVP_PKEY_public_check(context.get()) == 1;
  ERR_clear_error();
  return plausible;
}

}  // namespace

bool suits(Key const& key, Algorithm algorithm) noexcept {
  // `EdDSA` leaves the curve open, and its other names state it. The kind of the key decides.
  bool const same_by_other_name = key.only && is_edwards(*key.only) && is_edwards(algorithm);
  if (key.only && *key.only != algorithm && !same_by_other_name) return false;
  switch (algorithm) {
    case Algorithm::hs256:
    case Algorithm::hs384:
    case Algorithm::hs512: return key.kind == KeyKind::hmac && key.secret.size() >= size_of(*digest_of(algorithm));
    case Algorithm::rs256:
    case Algorithm::rs384:
    case Algorithm::rs512:
    case Algorithm::ps256:
    case Algorithm::ps384:
    case Algorithm::ps512: return key.kind == KeyKind::rsa;
    case Algorithm::es256: return key.kind == KeyKind::p256;
    case Algorithm::es384: return key.kind == KeyKind::p384;
    case Algorithm::es512: return key.kind == KeyKind::p521;
    case Algorithm::eddsa: return key.kind == KeyKind::ed25519 || key.kind == KeyKind::ed448;
    case Algorithm::ed25519: return key.kind == KeyKind::ed25519;
    case Algorithm::ed448: return key.kind == KeyKind::ed448;
  }
  return false;
}

Key make_hmac_key(std::string_view secret, std::string const& origin) {
  if (secret.size() < min_secret_bytes) {
    throw KeyError(origin + ": the secret has " + std::to_string(secret.size()) + " bytes, and must have at least " +
                   std::to_string(min_secret_bytes));
  }
  return Key{.kind = KeyKind::hmac, .secret = std::string(secret), .public_key = nullptr};
}

Key make_public_key(std::shared_ptr<EVP_PKEY> key, std::string const& origin) {
  auto const kind = kind_of(key.get(), origin);
  if (kind == KeyKind::rsa && EVP_PKEY_get_bits(key.get()) < min_rsa_bits) {
    throw KeyError(origin + ": the RSA key has " + std::to_string(EVP_PKEY_get_bits(key.get())) +
                   " bits, and must have at least " + std::to_string(min_rsa_bits));
  }
  if (!is_plausible(key.get())) throw KeyError(origin + ": the numbers do not form a public key");
  return Key{.kind = kind, .secret = {}, .public_key = std::move(key)};
}

}  // namespace deployd::auth
