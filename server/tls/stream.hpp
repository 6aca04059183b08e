// TLS on one socket.
#pragma once

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "server/tls/openssl_owned.hpp"

namespace deployd::server {

/// The TLS side of a connection. Never waits: it returns what must be waited for.
///
/// Its owner receives from the socket into `room` and then calls `arrived`. Outgoing bytes are sent to the socket
/// directly. Not movable; used on one thread.
class TlsStream {
 public:
  enum class Status {
    done,
    wants_bytes,    // more bytes must arrive first
    wants_to_send,  // the socket accepts no bytes at present
    ended,          // the other side has announced that it sends no more
    failed,         // cannot be used any more; see `reason`
  };

  struct Progress {
    Status status;
    std::size_t bytes;  // done: the number of bytes, at least one
  };

  /// `connection` was made by SSL_new and set to accept or connect state; `context` is kept alive with this object.
  /// `socket` must be non-blocking and stays with its owner.
  TlsStream(OpenSslOwned<SSL> connection, int socket, std::shared_ptr<void const> context);
  TlsStream(TlsStream const&) = delete;
  TlsStream& operator=(TlsStream const&) = delete;

  /// Returns where to receive to. All bytes received before must have been used: the last result was `wants_bytes`.
  boost::asio::mutable_buffer room() noexcept { return {cipher_.data(), cipher_.size()}; }
  void arrived(std::size_t bytes) noexcept;

  /// Returns the received bytes if they are a plain-text request: no handshake begins with a letter. Otherwise empty.
  /// Valid until the handshake begins.
  std::string_view plain_text() const noexcept;

  /// Continues the handshake. If the result is `failed`, an alert has been sent.
  Status handshake() noexcept;

  /// True if `read` can return data without more input.
  bool has_buffered() const noexcept { return begin_ != end_ || SSL_has_pending(connection_.get()) == 1; }

  /// True if part of a record has been received.
  bool has_part() const noexcept { return SSL_has_pending(connection_.get()) == 1; }

  /// Decrypts received bytes.
  Progress read(boost::asio::mutable_buffer into) noexcept;

  /// Encrypts and sends at most one record. After `wants_to_send` it must be called again with bytes that begin with
  /// the same ones.
  Progress write(std::span<char const> bytes) noexcept;

  /// Sends a close_notify if that is still possible.
  void close() noexcept;

  /// True if the completed handshake resumed an earlier session.
  bool is_resumed() const noexcept { return SSL_session_reused(connection_.get()) == 1; }

  /// True if the handshake failed because the certificate of the peer was refused.
  bool distrusts() const noexcept {
    return (SSL_get_verify_mode(connection_.get()) & SSL_VERIFY_PEER) != 0 &&
           SSL_get_verify_result(connection_.get()) != X509_V_OK;
  }

  /// Returns the reason of the failure.
  std::string reason() const;

  /// The maximum size of a record, and therefore of one `write`.
  static constexpr std::size_t record_bytes = 16384;

 private:
  struct SocketBio;

  Status classify(int result) noexcept;

  std::shared_ptr<void const> context_;
  OpenSslOwned<SSL> connection_;
  int socket_;
  bool failed_ = false;
  bool more_in_socket_ = false;
  unsigned long error_ = 0;
  std::size_t begin_ = 0;  // received but not taken by OpenSSL yet: [begin_, end_) of cipher_
  std::size_t end_ = 0;
  std::array<char, 1024> cipher_;
};

}  // namespace deployd::server
