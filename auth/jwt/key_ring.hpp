// The keys and rules for verifying JWTs, shared by all workers.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/jwt/key.hpp"
#include "auth/key_error.hpp"

namespace deployd::auth {

struct KeyRingOptions {
  std::optional<std::string> secret = {};  // HS256/384/512: the raw bytes, already read from file or environment
  std::string secret_origin = "--jwt-secret-file";  // the file or DEPLOYD_JWT_SECRET, for error messages
  std::vector<std::string> public_key_files = {};   // PEM: RSA, EC (P-256, P-384, P-521), Ed25519, Ed448
  std::vector<std::string> jwks_files = {};         // RFC 7517
  std::optional<std::string> issuer = {};
  std::optional<std::string> audience = {};
  std::chrono::seconds leeway{30};
  std::vector<std::string> complaints = {};  // warnings about the configured secrets, for `KeyRing::complaints`
};

/// Immutable. Safe to read from any thread.
class KeyRing {
 public:
  /// Reads every file. Throws KeyError for a key that is unreadable, malformed, or too weak (RSA under 2048 bits, an
  /// HMAC secret under 32 bytes).
  static std::shared_ptr<KeyRing const> load(KeyRingOptions const& options);

  /// Returns the keys and rules of `ring`, followed by the keys in `more`.
  static std::shared_ptr<KeyRing const> with_keys(KeyRing const& ring, std::vector<Key> const& more);

  /// True if there are no keys, so that no JWT can be valid.
  bool empty() const noexcept { return keys_.empty(); }

  /// Warnings about the keys and how they are stored, one line each.
  std::vector<std::string> const& complaints() const noexcept { return complaints_; }

  /// In the order of the options: the secret, the PEM files, the JWKS files, fetched key sets.
  std::vector<Key> const& keys() const noexcept { return keys_; }

  std::optional<std::string> const& issuer() const noexcept { return issuer_; }      // unset: not checked
  std::optional<std::string> const& audience() const noexcept { return audience_; }  // unset: not checked
  std::chrono::seconds leeway() const noexcept { return leeway_; }                   // 0 to 10 years

 private:
  KeyRing() = default;

  void add_jwks(std::string const& path);

  std::vector<Key> keys_;
  std::vector<std::string> complaints_;
  std::optional<std::string> issuer_;
  std::optional<std::string> audience_;
  std::chrono::seconds leeway_{};
};

}  // namespace deployd::auth
