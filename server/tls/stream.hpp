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

/// The TLS side of a connection. Never waits: it says what has to be waited for.
///
/// Its owner receives from the socket into `room` and says so with `arrived`; what is to be sent goes to the socket
/// directly. Lives where it was made, on one thread.
class TlsStream {
 public:
  enum class Status {
    done,
    wants_bytes,    // more must arrive first
    wants_to_send,  // the socket takes nothing at present
    ended,          // the other side has said that it sends no more
    failed,         // of no use any more; see `reason`
  };

  struct Progress {
    Status status;
    std::size_t bytes;  // done: how many, at least one
  };

  /// `connection` is what SSL_new made, told whether it accepts or connects; `context` is kept as long as this.
  /// `socket` is non-blocking and remains the owner's.
  TlsStream(OpenSslOwned<SSL> connection, int socket, std::shared_ptr<void const> context);
  TlsStream(TlsStream const&) = delete;
  TlsStream& operator=(TlsStream const&) = delete;

  /// Where to receive to. Everything that arrived before must have been used: `wants_bytes` was the last answer.
  boost::asio::mutable_buffer room() noexcept { return {cipher_.data(), cipher_.size()}; }
  void arrived(std::size_t bytes) noexcept;

  /// What arrived first, where it is a request in plain text: no handshake begins with a letter. Empty where it is
  /// none. Valid until the handshake begins.
  std::string_view plain_text() const noexcept;

  /// Goes on with the handshake. After `failed` an alert has been sent.
  Status handshake() noexcept;

  /// True if `read` can return data without more input.
  bool has_buffered() const noexcept { return begin_ != end_ || SSL_has_pending(connection_.get()) == 1; }

  /// True if part of a record has been received.
  bool has_part() const noexcept { return SSL_has_pending(connection_.get()) == 1; }

  /// Decrypts what has arrived.
  Progress read(boost::asio::mutable_buffer into) noexcept;

  /// Encrypts and sends at most one record. After `wants_to_send` it must be called again with bytes that begin with
  /// the same ones.
  Progress write(std::span<char const> bytes) noexcept;

  /// Tells the other side that all is said, if it can still be told.
  void close() noexcept;

  /// True if the completed handshake resumed an earlier session.
  bool is_resumed() const noexcept { return SSL_session_reused(connection_.get()) == 1; }

  /// True if the handshake failed because the certificate of the peer was refused.
  bool distrusts() const noexcept {
    return (SSL_get_verify_mode(connection_.get()) & SSL_VERIFY_PEER) != 0 &&
           SSL_get_verify_result(connection_.get()) != X509_V_OK;
  }

  /// Why it has failed.
  std::string reason() const;

  /// The most bytes of a record, and so of one `write`.
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
  std::size_t begin_ = 0;  // what has arrived and OpenSSL has not taken: [begin_, end_) of cipher_
  std::size_t end_ = 0;
  std::array<char, 1024> cipher_;
};

}  // namespace deployd::server
