// State shared by all accepted TLS connections.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/tls/certificate.hpp"
#include "server/tls/openssl_owned.hpp"
#include "server/tls/ticket_keys.hpp"

namespace deployd::server {

/// The options --tls-cert, --tls-key and --tls-client-ca.
struct TlsOptions {
  std::vector<TlsFiles> certificates;         // empty if TLS is off
  std::optional<std::string> client_ca_file;  // if set, clients must have a certificate of one of these authorities
};

/// The certificates and keys, and the handshake settings: TLS 1.2 and 1.3 with Mozilla's intermediate configuration
/// (decision 0011). Immutable; shared by all workers.
///
/// The certificate is selected by the name that the client sends (SNI): the first with this name, otherwise the first
/// with a matching wildcard, otherwise the first of all. Certificates for the same names with keys of different kinds
/// are offered together.
class TlsContext {
 public:
  /// Returns null if TLS is off. Throws TlsError or auth::KeyError for unusable files. Accepts expired certificates:
  /// see `complaints`.
  static std::shared_ptr<TlsContext const> load(TlsOptions const& options, std::shared_ptr<TlsTicketKeys> tickets);

  TlsContext(TlsContext const&) = delete;
  TlsContext& operator=(TlsContext const&) = delete;

  /// Returns the server side of a connection. The context must outlive it.
  OpenSslOwned<SSL> accept() const;

  /// Returns the expiry times of the certificates by file.
  std::map<std::string, std::chrono::system_clock::time_point> expiries() const;

  /// Returns warnings about the dates of the certificates and about who can read their keys, one line each.
  std::vector<std::string> complaints(std::chrono::system_clock::time_point now) const;

 private:
  TlsContext() = default;

  void add(TlsCertificate certificate, TlsOptions const& options);
  SSL_CTX* context_for(TlsCertificate const& certificate, TlsOptions const& options);
  static int choose_by_name(SSL* connection, int* alert, void* self) noexcept;
  SSL_CTX* find(std::string_view name) const;

  std::shared_ptr<TlsTicketKeys> tickets_;
  std::vector<TlsCertificate> certificates_;
  std::vector<OpenSslOwned<SSL_CTX>> contexts_;
  std::map<std::string, SSL_CTX*, std::less<>> by_name_;
};

}  // namespace deployd::server
