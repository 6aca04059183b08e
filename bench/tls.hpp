// The client's side of TLS, for URLs that begin with https.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <optional>
#include <string>

#include "bench/failure.hpp"
#include "server/tls/openssl_owned.hpp"
#include "server/tls/stream.hpp"

namespace deployd::bench {

/// What is asked of a server that speaks TLS.
struct TlsWishes {
  std::string ca_file;    // whom to trust, in PEM; empty: the system's authorities
  bool insecure = false;  // anybody will do
  bool resume = false;    // connections of a place offer the session of the one before
};

/// What a session of TLS is resumed with; empty until a server has given a ticket.
using TlsSession = server::OpenSslOwned<SSL_SESSION>;

/// How all connections of a thread shake hands.
class TlsClient {
 public:
  /// `host` must be in the server's certificate, and is asked for by name (SNI) unless it is an address. Throws
  /// std::runtime_error when OpenSSL cannot be set up, or naming a file of authorities that it cannot use.
  TlsClient(std::string host, TlsWishes const& wishes);

  /// TLS on a connected socket. With `resume`, `session` is offered and gets the next ticket; else it is not touched.
  /// This and `session` must outlive it.
  std::unique_ptr<server::TlsStream> connect(int socket, TlsSession& session) const;

 private:
  std::string host_;
  bool is_address_;
  bool resume_;
  server::OpenSslOwned<SSL_CTX> context_;
};

/// Shakes hands on a connected, non-blocking socket; nothing when that worked. Both arguments must outlive it. When the
/// socket is cancelled, the fault is a timeout.
boost::asio::awaitable<std::optional<Fault>> shake_hands(boost::asio::ip::tcp::socket& socket,
                                                         server::TlsStream& stream);

}  // namespace deployd::bench
