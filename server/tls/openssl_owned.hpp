// Owning pointers to OpenSSL's objects, and OpenSSL's error messages.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace deployd::server {

struct OpenSslFree {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(SSL* connection) const noexcept { SSL_free(connection); }
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
  void operator()(STACK_OF(X509) * chain) const noexcept { sk_X509_pop_free(chain, X509_free); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

template <typename T>
using OpenSslOwned = std::unique_ptr<T, OpenSslFree>;

/// Returns the reason of the last error of this thread as text, and clears the thread's errors.
inline std::string take_openssl_reason() {
  auto const* const reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string text = reason == nullptr ? "no reason is known" : reason;
  ERR_clear_error();
  return text;
}

}  // namespace deployd::server
