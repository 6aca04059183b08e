// Verifies signatures with the keys of a key ring. OpenSSL contexts are prepared once and used by one thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "auth/jwt/algorithm.hpp"
#include "auth/jwt/key.hpp"

struct evp_mac_ctx_st;
struct evp_mac_st;
struct evp_md_ctx_st;
struct evp_pkey_ctx_st;

namespace deployd::auth {

/// Not to be shared between threads. The keys passed to it must outlive it and must not move: contexts are stored by
/// the address of the key.
class SignatureVerifier {
 public:
  SignatureVerifier();
  ~SignatureVerifier();
  SignatureVerifier(SignatureVerifier&&) noexcept;
  SignatureVerifier& operator=(SignatureVerifier&&) noexcept;

  /// True if `signature`, in the format of JWS, is a valid signature of `input` by the key. The key must suit the
  /// algorithm.
  bool verify(Key const& key, Algorithm algorithm, std::string_view input, std::string_view signature);

 private:
  struct Free {
    void operator()(evp_mac_st* mac) const noexcept;
    void operator()(evp_mac_ctx_st* context) const noexcept;
    void operator()(evp_md_ctx_st* context) const noexcept;
    void operator()(evp_pkey_ctx_st* context) const noexcept;
  };
  template <typename T>
  using Owned = std::unique_ptr<T, Free>;
  using Use = std::pair<Key const*, Algorithm>;

  bool verify_hmac(Use const& use, std::string_view input, std::string_view signature);
  bool verify_edwards(Key const& key, std::string_view input, std::string_view signature);
  bool verify_digest(Use const& use, std::string_view input, std::string_view signature);

  Owned<evp_mac_st> hmac_;
  Owned<evp_md_ctx_st> edwards_;
  std::map<Use, Owned<evp_mac_ctx_st>> macs_;
  std::map<Use, Owned<evp_pkey_ctx_st>> verifications_;
};

}  // namespace deployd::auth
