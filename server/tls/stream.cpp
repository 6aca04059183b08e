#include "server/tls/stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>

namespace deployd::server {

/// The BIO from which OpenSSL reads the received bytes, and which writes to the socket.
struct TlsStream::SocketBio {
  static TlsStream& stream_of(BIO* bio) noexcept { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* into, int size) noexcept {
    auto& stream = stream_of(bio);
    BIO_clear_retry_flags(bio);
    auto const wanted = static_cast<std::size_t>(size);
    if (stream.begin_ != stream.end_) {
      auto const count = std::min(wanted, stream.end_ - stream.begin_);
      std::memcpy(into, stream.cipher_.data() + stream.begin_, count);
      stream.begin_ += count;
      return static_cast<int>(count);
    }
    // Bytes that did not fit into `room` are received directly where they are needed.
    while (stream.more_in_socket_) {
      auto const received = ::recv(stream.socket_, into, wanted, MSG_DONTWAIT);
      if (received < 0 && errno == EINTR) continue;
      stream.more_in_socket_ = received == size;
      if (received > 0) return static_cast<int>(received);
    }
    BIO_set_retry_read(bio);
    return -1;
  }

  static int write(BIO* bio, char const* bytes, int size) noexcept {
    BIO_clear_retry_flags(bio);
    while (true) {
      auto const sent =
          ::send(stream_of(bio).socket_, bytes, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent >= 0) return static_cast<int>(sent);
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) BIO_set_retry_write(bio);
      return -1;
    }
  }

  static long control(BIO*, int command, long, void*) noexcept { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD const* method() {
    static BIO_METHOD const* const made = [] {
      auto* const fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "deployd connection");
      if (fresh == nullptr) throw std::bad_alloc();
      BIO_meth_set_read(fresh, read);
      BIO_meth_set_write(fresh, write);
      BIO_meth_set_ctrl(fresh, control);
      return fresh;
    }();
    return made;
  }
};

TlsStream::TlsStream(OpenSslOwned<SSL> connection, int socket, std::shared_ptr<void const> context)
    : context_(std::move(context)), connection_(std::move(connection)), socket_(socket) {
  auto* const bio = BIO_new(SocketBio::method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(connection_.get(), bio, bio);
}

void TlsStream::arrived(std::size_t bytes) noexcept {
  begin_ = 0;
  end_ = bytes;
  more_in_socket_ = bytes == cipher_.size();
}

std::string_view TlsStream::plain_text() const noexcept {
  auto const first = cipher_[0];
  bool const letter = (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z');
  return {cipher_.data(), letter ? end_ : 0};
}

TlsStream::Status TlsStream::classify(int result) noexcept {
  auto const error = SSL_get_error(connection_.get(), result);
  if (error == SSL_ERROR_WANT_READ) return Status::wants_bytes;
  if (error == SSL_ERROR_WANT_WRITE) return Status::wants_to_send;
  if (error == SSL_ERROR_ZERO_RETURN) return Status::ended;
  failed_ = true;
  error_ = ERR_peek_last_error();
  return Status::failed;
}

TlsStream::Status TlsStream::handshake() noexcept {
  ERR_clear_error();
  auto const result = SSL_do_handshake(connection_.get());
  return result == 1 ? Status::done : classify(result);
}

TlsStream::Progress TlsStream::read(boost::asio::mutable_buffer into) noexcept {
  ERR_clear_error();
  std::size_t count = 0;
  auto const result = SSL_read_ex(connection_.get(), into.data(), into.size(), &count);
  return result == 1 ? Progress{Status::done, count} : Progress{classify(result), 0};
}

TlsStream::Progress TlsStream::write(std::span<char const> bytes) noexcept {
  ERR_clear_error();
  std::size_t count = 0;
  auto const result = SSL_write_ex(connection_.get(), bytes.data(), bytes.size(), &count);
  return result == 1 ? Progress{Status::done, count} : Progress{classify(result), 0};
}

void TlsStream::close() noexcept {
  if (failed_ || SSL_is_init_finished(connection_.get()) != 1) return;
  ERR_clear_error();
  SSL_shutdown(connection_.get());
  ERR_clear_error();
}

std::string TlsStream::reason() const {
  if (distrusts()) {
    auto const* const why = X509_verify_cert_error_string(SSL_get_verify_result(connection_.get()));
    return std::string("the other side's certificate: ") + why;
  }
  auto const* const reason = error_ == 0 ? nullptr : ERR_reason_error_string(error_);
  return reason == nullptr ? "the connection broke" : reason;
}

}  // namespace deployd::server
