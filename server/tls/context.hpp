// What all TLS connections that are accepted have in common.
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
  std::vector<TlsFiles> certificates;         // none: TLS is off
  std::optional<std::string> client_ca_file;  // set: clients must have a certificate of one of these authorities
};

/// Certificates with their keys and how handshakes are to go: TLS 1.2 and 1.3, and what Mozilla's guide calls
/// intermediate (decision 0011). Immutable; shared by all workers.
///
/// Which certificate a client gets is decided by the name that it asks for (SNI): the first with this name, else the
/// first with a wildcard for it, else the first of all. Certificates for the same names with keys of different kinds
/// are offered together.
class TlsContext {
 public:
  /// Throws TlsError or auth::KeyError for files that will not do. Takes certificates whose dates are past: see
  /// `complaints`.
  static std::shared_ptr<TlsContext const> load(TlsOptions const& options, std::shared_ptr<TlsTicketKeys> tickets);

  TlsContext(TlsContext const&) = delete;
  TlsContext& operator=(TlsContext const&) = delete;

  /// The server's side of a connection, which needs this as long as it lives.
  OpenSslOwned<SSL> accept() const;

  /// When the certificates end, by the files that they came from.
  std::map<std::string, std::chrono::system_clock::time_point> expiries() const;

  /// What is to be said about the dates of the certificates and who can read their keys, a line each.
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
