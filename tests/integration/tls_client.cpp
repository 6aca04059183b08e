#include "tests/integration/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <array>
#include <chrono>
#include <stdexcept>

namespace deployd::tests {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds patience{30};

[[noreturn]] void fail(std::string const& what) {
  auto const* const reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string const line = "TLS client: " + what + ": " + (reason == nullptr ? "the connection ended" : reason);
  ERR_clear_error();
  throw std::runtime_error(line);
}

std::shared_ptr<BIO> open_text(std::string const& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

/// Waits until the last operation can continue. Returns false at the deadline, or if it cannot continue.
bool wait_for(SSL* connection, int result, int socket, steady_clock::time_point deadline) {
  auto const error = SSL_get_error(connection, result);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
  auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
  if (left.count() <= 0) return false;
  pollfd waiting{socket, static_cast<short>(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
  return ::poll(&waiting, 1, static_cast<int>(left.count())) > 0;
}

}  // namespace

TlsClient::TlsClient(std::string const& authority)
    : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
      newest_session_(std::make_shared<std::shared_ptr<SSL_SESSION>>()) {
  auto const text = open_text(authority);
  std::shared_ptr<X509> const trusted(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr), X509_free);
  if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), trusted.get()) != 1) fail("no authority");
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(context_.get(), newest_session_.get());
  SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* connection, SSL_SESSION* session) {
    auto* const kept = SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection));
    *static_cast<std::shared_ptr<SSL_SESSION>*>(kept) = {session, SSL_SESSION_free};
    return 1;
  });
}

TlsClient& TlsClient::only(int version) {
  SSL_CTX_set_min_proto_version(context_.get(), version);
  SSL_CTX_set_max_proto_version(context_.get(), version);
  return *this;
}

TlsClient& TlsClient::show(CertificateAndKey const& own) {
  auto const certificate_text = open_text(own.certificate);
  auto const key_text = open_text(own.key);
  std::shared_ptr<X509> const certificate(PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr),
                                          X509_free);
  std::shared_ptr<EVP_PKEY> const key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr),
                                      EVP_PKEY_free);
  if (SSL_CTX_use_cert_and_key(context_.get(), certificate.get(), key.get(), nullptr, 1) != 1) fail("no certificate");
  return *this;
}

TlsClient& TlsClient::resume() {
  resumes_ = true;
  return *this;
}

TlsConnection::TlsConnection(TlsClient& client, int socket)
    : client_(client), socket_(socket), connection_(SSL_new(client.context_.get()), SSL_free) {
  auto* const connection = connection_.get();
  std::string name = "localhost";
  SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  SSL_set1_host(connection, name.c_str());
  SSL_set_fd(connection, socket);
  if (client.resumes_ && *client.newest_session_) SSL_set_session(connection, client.newest_session_->get());
  auto const deadline = steady_clock::now() + patience;
  while (true) {
    ERR_clear_error();
    auto const result = SSL_connect(connection);
    if (result == 1) return;
    if (!wait_for(connection, result, socket, deadline)) fail("no handshake");
  }
}

TlsConnection::~TlsConnection() {
  // Else OpenSSL would take the session for one that must not be resumed.
  SSL_set_quiet_shutdown(connection_.get(), 1);
  SSL_shutdown(connection_.get());
}

void TlsConnection::send(std::string_view bytes) {
  auto const deadline = steady_clock::now() + patience;
  while (!bytes.empty()) {
    ERR_clear_error();
    std::size_t sent = 0;
    auto const result = SSL_write_ex(connection_.get(), bytes.data(), bytes.size(), &sent);
    if (result == 1) {
      bytes.remove_prefix(sent);
    } else if (!wait_for(connection_.get(), result, socket_, deadline)) {
      return;  // what the server said before it closed is still to be read
    }
  }
}

void TlsConnection::finish_sending() {
  ERR_clear_error();
  SSL_shutdown(connection_.get());
}

std::string TlsConnection::encrypt(std::string_view bytes) {
  auto* const to_socket = SSL_get_wbio(connection_.get());
  BIO_up_ref(to_socket);
  auto* const memory = BIO_new(BIO_s_mem());
  SSL_set0_wbio(connection_.get(), memory);
  std::size_t sent = 0;
  if (SSL_write_ex(connection_.get(), bytes.data(), bytes.size(), &sent) != 1) fail("cannot encrypt");
  char* data = nullptr;
  auto const size = BIO_get_mem_data(memory, &data);
  std::string record(data, static_cast<std::size_t>(size));
  SSL_set0_wbio(connection_.get(), to_socket);
  return record;
}

TlsConnection::Got TlsConnection::read(std::string& buffer, int deadline_ms) {
  auto const deadline = steady_clock::now() + std::chrono::milliseconds(deadline_ms);
  std::array<char, 65536> bytes;
  while (true) {
    ERR_clear_error();
    std::size_t count = 0;
    auto const result = SSL_read_ex(connection_.get(), bytes.data(), bytes.size(), &count);
    if (result == 1) {
      buffer.append(bytes.data(), count);
      return Got::bytes;
    }
    if (wait_for(connection_.get(), result, socket_, deadline)) continue;
    auto const error = SSL_get_error(connection_.get(), result);
    ended_in_order_ = error == SSL_ERROR_ZERO_RETURN;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? Got::nothing : Got::end;
  }
}

bool TlsConnection::resumed() const {
  return SSL_session_reused(connection_.get()) == 1;
}

std::string TlsConnection::version() const {
  return SSL_get_version(connection_.get());
}

std::string TlsConnection::certificate_name() const {
  std::array<char, 100> text{};
  auto* const subject = X509_get_subject_name(SSL_get0_peer_certificate(connection_.get()));
  X509_NAME_get_text_by_NID(subject, NID_commonName, text.data(), static_cast<int>(text.size()));
  return text.data();
}

}  // namespace deployd::tests
