// A certificate of the server with its key, read from files.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "server/tls/openssl_owned.hpp"

namespace deployd::server {

/// A file that TLS cannot be served with. `what()` is one line that names it.
class TlsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Values of --tls-cert and --tls-key that belong together.
struct TlsFiles {
  std::string certificate;  // PEM: the server's own certificate, then those that it is to be traced by
  std::string key;          // PEM, not encrypted; may be the same file
};

struct TlsCertificate {
  TlsFiles files;
  OpenSslOwned<X509> own;
  OpenSslOwned<STACK_OF(X509)> chain;
  OpenSslOwned<EVP_PKEY> key;
  std::vector<std::string> names;       // DNS names in lower case, sorted, `*.example.com` among them
  std::optional<std::string> exposure;  // what is to be said about who can get at the key's file
};

/// Throws TlsError, or auth::KeyError for a file that cannot be read.
TlsCertificate read_tls_certificate(TlsFiles const& files);

/// All certificates of a PEM text, at least one. Throws TlsError naming `file`.
std::vector<OpenSslOwned<X509>> read_certificates(std::string_view text, std::string const& file);

/// When it ends.
std::chrono::system_clock::time_point expiry(TlsCertificate const& certificate);

/// What an operator should know about the dates of a certificate, as one line: that it is not good at `now`, or for
/// less than two weeks more.
std::optional<std::string> validity_complaint(TlsCertificate const& certificate,
                                              std::chrono::system_clock::time_point now);

}  // namespace deployd::server
