// A certificate of the server and its key, read from files.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/failure.hpp"
#include "server/tls/openssl_owned.hpp"

namespace deployd::server {

/// Thrown for a file that cannot be used for TLS. `what()` is one line that names it.
class TlsError : public ConfigurationError {
 public:
  using ConfigurationError::ConfigurationError;
};

/// A pair of --tls-cert and --tls-key.
struct TlsFiles {
  std::string certificate;  // PEM: the server's certificate, followed by its intermediate certificates
  std::string key;          // PEM, not encrypted; may be the same file
};

struct TlsCertificate {
  TlsFiles files;
  OpenSslOwned<X509> own;
  OpenSslOwned<STACK_OF(X509)> chain;
  OpenSslOwned<EVP_PKEY> key;
  std::vector<std::string> names;       // DNS names in lower case, sorted, including names such as `*.example.com`
  std::optional<std::string> exposure;  // a warning about who can access the key's file
};

/// Throws TlsError, or auth::KeyError for a file that cannot be read.
TlsCertificate read_tls_certificate(TlsFiles const& files);

/// Returns all certificates of a PEM text, at least one. Throws TlsError naming `file`.
std::vector<OpenSslOwned<X509>> read_certificates(std::string_view text, std::string const& file);

/// Returns when the certificate expires.
std::chrono::system_clock::time_point expiry(TlsCertificate const& certificate);

/// Returns a warning in one line if a certificate is not valid at `now`, or expires within two weeks.
std::optional<std::string> validity_complaint(TlsCertificate const& certificate,
                                              std::chrono::system_clock::time_point now);

}  // namespace deployd::server
