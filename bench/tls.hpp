// The client side of TLS, for https URLs.
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

/// The client's requirements for TLS.
struct TlsWishes {
  std::string ca_file;    // trusted authorities in PEM; empty for those of the system
  bool insecure = false;  // accept any certificate
  bool resume = false;    // offer the session of the previous connection
};

/// The session to resume; empty until the server has sent a ticket.
using TlsSession = server::OpenSslOwned<SSL_SESSION>;

/// The TLS settings for all connections of a thread.
class TlsClient {
 public:
  /// The server's certificate must be valid for `host`, which is sent as its name (SNI) unless it is an address. Throws
  /// std::runtime_error if OpenSSL cannot be set up, or naming a file of authorities that cannot be used.
  TlsClient(std::string host, TlsWishes const& wishes);

  /// Returns TLS for a connected socket. With `resume`, `session` is offered and replaced by the next ticket; otherwise
  /// it is not used. This object and `session` must outlive the result.
  std::unique_ptr<server::TlsStream> connect(int socket, TlsSession& session) const;

 private:
  std::string host_;
  bool is_address_;
  bool resume_;
  server::OpenSslOwned<SSL_CTX> context_;
};

/// Performs the handshake on a connected, non-blocking socket. Returns nothing on success. Both arguments must outlive
/// it. If the socket is cancelled, the fault is a timeout.
boost::asio::awaitable<std::optional<Fault>> shake_hands(boost::asio::ip::tcp::socket& socket,
                                                         server::TlsStream& stream);

}  // namespace deployd::bench
