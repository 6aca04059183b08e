// The keys and rules that JWTs are checked with, loaded once from the configuration and shared by all workers.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace deployd::auth {

struct KeyRingOptions {
  std::optional<std::string> secret;          // HS256/384/512: the raw bytes, already read from file or environment
  std::string secret_origin;                  // what to name in error lines: the file, or DEPLOYD_JWT_SECRET
  std::vector<std::string> public_key_files;  // PEM: RSA, EC (P-256, P-384, P-521), Ed25519
  std::vector<std::string> jwks_files;        // RFC 7517
  std::optional<std::string> issuer;
  std::optional<std::string> audience;
  std::chrono::seconds leeway{30};
};

/// A key or file that cannot be used. `what()` is one line that names the file or option.
class KeyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Immutable; safe to read from any thread.
class KeyRing {
 public:
  /// Reads every file. Throws KeyError for what is unreadable, malformed, or too weak (RSA under 2048 bits, an HMAC
  /// secret under 32 bytes).
  static std::shared_ptr<KeyRing const> load(KeyRingOptions const& options);

  ~KeyRing();

  /// True when no JWT can be good.
  bool empty() const noexcept;

  struct Impl;
  Impl const& impl() const noexcept { return *impl_; }

 private:
  explicit KeyRing(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace deployd::auth
