#include "bench/tls.hpp"

#include <openssl/x509_vfy.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ip/address.hpp>

#include <array>
#include <new>
#include <stdexcept>
#include <utility>

namespace deployd::bench {
namespace {

constexpr auto awaited = boost::asio::as_tuple(boost::asio::deferred);

void require(bool done) {
  if (!done) throw std::runtime_error("OpenSSL cannot be set up: " + server::take_openssl_reason());
}

bool is_numeric(std::string const& host) {
  boost::system::error_code no_address;
  boost::asio::ip::make_address(host, no_address);
  return !no_address;
}

/// OpenSSL's callback for a new ticket. Returning 1 takes ownership of it.
int keep_session(SSL* connection, SSL_SESSION* session) noexcept {
  static_cast<TlsSession*>(SSL_get_app_data(connection))->reset(session);
  return 1;
}

void trust(SSL_CTX* context, TlsWishes const& wishes) {
  if (wishes.insecure) return;
  if (wishes.ca_file.empty()) {
    require(SSL_CTX_set_default_verify_paths(context) == 1);
  } else if (SSL_CTX_load_verify_file(context, wishes.ca_file.c_str()) != 1) {
    throw std::runtime_error(wishes.ca_file + ": " + server::take_openssl_reason());
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
}

}  // namespace

TlsClient::TlsClient(std::string host, TlsWishes const& wishes)
    : host_(std::move(host)),
      is_address_(is_numeric(host_)),
      resume_(wishes.resume),
      context_(SSL_CTX_new(TLS_client_method())) {
  constexpr auto protocols = std::to_array<unsigned char>({8, 'h', 't', 't', 'p', '/', '1', '.', '1'});
  auto* const context = context_.get();
  require(context != nullptr);
  require(SSL_CTX_set_alpn_protos(context, protocols.data(), protocols.size()) == 0);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  trust(context, wishes);
  if (!resume_) return;
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep_session);
}

std::unique_ptr<server::TlsStream> TlsClient::connect(int socket, TlsSession& session) const {
  server::OpenSslOwned<SSL> owned(SSL_new(context_.get()));
  auto* const connection = owned.get();
  if (connection == nullptr) throw std::bad_alloc();
  SSL_set_connect_state(connection);
  // Either the server ends connections, or the generator closes them without a close_notify.
  SSL_set_quiet_shutdown(connection, 1);
  if (is_address_) {
    require(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host_.c_str()) == 1);
  } else {
    require(SSL_set1_host(connection, host_.c_str()) == 1);
    auto name = host_;
    // Does the same as the macro SSL_set_tlsext_host_name, without its C cast.
    SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  }
  if (resume_) {
    SSL_set_app_data(connection, &session);
    if (session) SSL_set_session(connection, session.get());
  }
  return std::make_unique<server::TlsStream>(std::move(owned), socket, nullptr);
}

boost::asio::awaitable<std::optional<Fault>> shake_hands(boost::asio::ip::tcp::socket& socket,
                                                         server::TlsStream& stream) {
  using Status = server::TlsStream::Status;
  while (true) {
    auto const status = stream.handshake();
    boost::system::error_code error;
    if (status == Status::wants_bytes) {
      auto const [outcome, size] = co_await socket.async_read_some(stream.room(), awaited);
      error = outcome;
      if (!error) stream.arrived(size);
    } else if (status == Status::wants_to_send) {
      auto const [outcome] = co_await socket.async_wait(boost::asio::ip::tcp::socket::wait_write, awaited);
      error = outcome;
    } else {
      if (status == Status::done) co_return std::nullopt;
      co_return Fault{stream.distrusts() ? Failure::certificate : Failure::tls, stream.reason()};
    }
    if (error == boost::asio::error::operation_aborted) co_return Fault{Failure::timeout, {}};
    if (error == boost::asio::error::eof)
      co_return Fault{Failure::tls, "the server closed the connection in the handshake"};
    if (error) co_return Fault{Failure::tls, error.message()};
  }
}

}  // namespace deployd::bench
