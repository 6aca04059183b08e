#include "server/http/byte_stream.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace deployd::server {
namespace {

// The number of receive calls in one `read` before other connections get their turn, for TLS records without data.
constexpr int most_receives = 32;

bool takes_time(ByteStream::Status status) noexcept {
  return status == ByteStream::Status::wants_bytes || status == ByteStream::Status::wants_to_send;
}

}  // namespace

void reset_on_close(int socket) noexcept {
  linger const at_once{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

boost::asio::awaitable<TlsHandshake> ByteStream::shake_hands() {
  auto status = Status::wants_bytes;
  for (bool first = true; takes_time(status); first = false) {
    auto const [failure] = co_await wait(status);
    if (failure) co_return TlsHandshake::abandoned;
    if (status == Status::wants_bytes) {
      auto const received = receive(tls_->room());
      if (takes_time(received.status)) continue;
      if (received.status != Status::done) co_return TlsHandshake::abandoned;
      tls_->arrived(received.bytes);
    }
    if (first && !tls_->plain_text().empty()) co_return TlsHandshake::plain_text;
    status = tls_->handshake();
  }
  if (status != Status::done) co_return TlsHandshake::failed;
  co_return tls_->is_resumed() ? TlsHandshake::resumed : TlsHandshake::full;
}

ByteStream::Progress ByteStream::read_buffered(boost::asio::mutable_buffer into) noexcept {
  if (!tls_ || !tls_->has_buffered()) return {Status::wants_bytes, 0};
  return tls_->read(into);
}

ByteStream::Progress ByteStream::read(boost::asio::mutable_buffer into) noexcept {
  if (!tls_) return receive(into);
  for (int receives = 0;; ++receives) {
    auto const got = read_buffered(into);
    if (got.status != Status::wants_bytes || receives == most_receives) return got;
    auto const received = receive(tls_->room());
    if (received.status != Status::done) return received;
    tls_->arrived(received.bytes);
  }
}

ByteStream::Progress ByteStream::receive(boost::asio::mutable_buffer into) noexcept {
  while (true) {
    auto const received = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    if (received > 0) return {Status::done, static_cast<std::size_t>(received)};
    if (received == 0) return {Status::ended, 0};
    if (errno == EINTR) continue;
    return {errno == EAGAIN || errno == EWOULDBLOCK ? Status::wants_bytes : Status::ended, 0};
  }
}

ByteStream::Progress ByteStream::write(std::span<char const> head, std::span<char const> body) noexcept {
  return tls_ ? tls_->write(next_record(head, body)) : send(head, body);
}

ByteStream::Progress ByteStream::send(std::span<char const> head, std::span<char const> body) noexcept {
  constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  std::array<iovec, 2> pieces{
      {{const_cast<char*>(head.data()), head.size()}, {const_cast<char*>(body.data()), body.size()}}};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  while (true) {
    // A plain send of one buffer spares the kernel the copy of the vector.
    auto const sent = body.empty() ? ::send(socket_.native_handle(), head.data(), head.size(), flags)
                                   : ::sendmsg(socket_.native_handle(), &message, flags);
    if (sent >= 0) return {Status::done, static_cast<std::size_t>(sent)};
    if (errno == EINTR) continue;
    return {errno == EAGAIN || errno == EWOULDBLOCK ? Status::wants_to_send : Status::failed, 0};
  }
}

/// Returns the bytes to encrypt next. The end of the head and the beginning of the body are combined, so that a
/// response that fits into one record uses only one.
std::span<char const> ByteStream::next_record(std::span<char const> head, std::span<char const> body) noexcept {
  if (body.empty() || head.size() >= TlsStream::record_bytes) return head;
  if (head.empty()) return body;
  auto const of_body = body.first(std::min(body.size(), record_room_.size() - head.size()));
  std::ranges::copy(head, record_room_.begin());
  std::ranges::copy(of_body, record_room_.begin() + static_cast<std::ptrdiff_t>(head.size()));
  return record_room_.first(head.size() + of_body.size());
}

void ByteStream::expire() noexcept {
  deadline_.pass();
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void ByteStream::cut() noexcept {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void ByteStream::close_sending() noexcept {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void ByteStream::close_tls() noexcept {
  if (tls_) tls_->close();
}

void ByteStream::reset_on_close() noexcept {
  server::reset_on_close(socket_.native_handle());
}

std::size_t ByteStream::held_bytes() noexcept {
  int bytes = 0;
  if (::ioctl(socket_.native_handle(), SIOCOUTQ, &bytes) != 0) return 0;
  return static_cast<std::size_t>(std::max(bytes, 0));
}

}  // namespace deployd::server
