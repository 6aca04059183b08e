// Certificates for tests, made anew each time so that none expires in the repository.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace deployd::tests {

enum class KeyType { p256, rsa, weak_rsa };

struct CertificateWish {
  std::vector<std::string> names = {"localhost"};      // DNS names
  std::chrono::seconds from = std::chrono::hours(-1);  // from now
  std::chrono::seconds until = std::chrono::hours(90 * 24);
  KeyType key = KeyType::p256;
};

/// Two texts in PEM.
struct CertificateAndKey {
  std::string certificate;
  std::string key;
};

/// An authority with a key of its own, and what it vouches for: servers and clients.
class CertificateAuthority {
 public:
  explicit CertificateAuthority(std::string const& name = "deployd tests");

  std::string const& certificate() const noexcept { return pem_; }
  CertificateAndKey issue(CertificateWish const& wish = {}) const;

 private:
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> own_;
  std::string pem_;
};

/// A key as it stands in a file that asks for a passphrase.
std::string encrypted(std::string const& key_pem);

}  // namespace deployd::tests
