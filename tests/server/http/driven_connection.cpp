#include "tests/server/http/driven_connection.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <stdexcept>
#include <utility>

#include "auth/jwt/signer.hpp"

namespace deployd::server {
namespace {

std::string const secret(32, 's');

}  // namespace

DrivenConnection::DrivenConnection(int deployments, std::shared_ptr<TlsContext const> tls, Limits limits)
    : tls_(std::move(tls)) {
  store_.fill(deployments);
  authenticator_.emplace(auth::KeyRing::load({.secret = secret}), store_.store());
  api_.emplace(routing::ApiOptions{.cors = routing::CorsPolicy({"*"}), .cache_bytes = 0, .limiter = nullptr},
               *authenticator_, store_.store());
  HeadLimits const head_limits{8192, 16384, 65536};
  context_.reset(new ConnectionContext{
      .api = *api_,
      .head_limits = head_limits,
      .reader_limits = {limits.write_timeout, limits.stream_timeout, limits.stream_min_rate},
      .header_timeout = std::chrono::seconds(10),
      .idle_timeout = std::chrono::seconds(60),
      .access_log = AccessLogBuffer(AccessLog::off),
      .buffers = InputBuffer::Buffers(4, head_limits.target_bytes + head_limits.header_bytes + 256),
      .outputs = ResponseSender::Outputs(4),
  });
  context_->record_room.resize(TlsStream::record_bytes);

  auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  authorization_ =
      auth::sign_hs256({.subject = "test", .issued_at = now, .expires = now + std::chrono::hours(1)}, secret);

  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets.data()) != 0)
    throw std::runtime_error("no socket pair");
  peer_ = sockets[1];
  int const small = 4096;
  ::setsockopt(sockets[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
  Socket socket(store_.loop, boost::asio::generic::stream_protocol(AF_UNIX, 0), sockets[0]);
  auto stream = tls_ ? std::make_unique<TlsStream>(tls_->accept(), sockets[0], tls_) : nullptr;
  connection_ = std::make_unique<Connection>(*context_, std::move(socket), std::move(stream));
  boost::asio::co_spawn(store_.loop, connection_->run(), [this](std::exception_ptr failure) {
    ended_ = true;
    if (failure) std::rethrow_exception(failure);
  });
  turn();
}

DrivenConnection::~DrivenConnection() {
  connection_->cut();
  turn();
  ::close(peer_);
}

std::string DrivenConnection::request(std::string_view target) const {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + authorization_ + "\r\n\r\n";
}

void DrivenConnection::send(std::string_view bytes) {
  if (::send(peer_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 && !ended_) throw std::runtime_error("not sent");
}

std::string DrivenConnection::read(std::size_t most) {
  std::string bytes(most, '\0');
  auto const got = ::recv(peer_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

void DrivenConnection::turn() {
  store_.loop.restart();
  store_.loop.poll();
}

void DrivenConnection::sweep(Clock::duration later) {
  connection_->check_deadline(Clock::now() + later);
}

void DrivenConnection::sweep_behind(std::string_view bytes_before) {
  send(bytes_before);
  // The loop finds the bytes first and queues what waits for them behind this.
  boost::asio::post(store_.loop, [this] { sweep(); });
  turn();
}

}  // namespace deployd::server
