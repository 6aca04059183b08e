#include "tests/http_provider.hpp"

#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace deployd::tests {

namespace {

std::string chunks_of(std::string_view body) {
  std::ostringstream out;
  for (std::size_t start = 0; start < body.size(); start += 1000) {
    auto const piece = body.substr(start, 1000);
    out << std::hex << piece.size() << "\r\n" << piece << "\r\n";
  }
  out << "0\r\n\r\n";
  return out.str();
}

std::string bytes_of(Provided const& answer) {
  auto bytes = "HTTP/1.1 " + std::to_string(answer.status) + " Some Words\r\n" + answer.lines;
  if (answer.chunked)
    bytes += "Transfer-Encoding: chunked\r\n";
  else if (answer.status != 304)
    bytes += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  bytes += "Connection: close\r\n\r\n";
  auto const body = answer.chunked ? chunks_of(answer.body) : answer.body;
  return bytes + (answer.cut || answer.stalls_midway ? body.substr(0, body.size() / 2) : body);
}

bool send_all(int socket, SSL* session, std::string_view bytes) {
  while (!bytes.empty()) {
    auto const most = std::min<std::size_t>(bytes.size(), 65536);
    auto const sent = session != nullptr ? SSL_write(session, bytes.data(), static_cast<int>(most))
                                         : static_cast<int>(::send(socket, bytes.data(), most, MSG_NOSIGNAL));
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Reads until the other side, or the end of the provider, closes the connection.
void drain(int socket) {
  char byte;
  while (::recv(socket, &byte, 1, 0) > 0) {
  }
}

}  // namespace

struct HttpProvider::Tls {
  explicit Tls(CertificateAndKey const& pair) {
    using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
    Bio const certificate_text(BIO_new_mem_buf(pair.certificate.data(), static_cast<int>(pair.certificate.size())),
                               BIO_free);
    Bio const key_text(BIO_new_mem_buf(pair.key.data(), static_cast<int>(pair.key.size())), BIO_free);
    auto* const certificate = PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr);
    auto* const key = PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr);
    bool const good =
        SSL_CTX_use_certificate(context.get(), certificate) == 1 && SSL_CTX_use_PrivateKey(context.get(), key) == 1;
    X509_free(certificate);
    EVP_PKEY_free(key);
    if (!good) throw std::runtime_error("the provider's certificate cannot be used");
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
};

struct HttpProvider::Connection {
  int socket = -1;
  std::thread thread = {};
};

HttpProvider::HttpProvider(Respond respond, CertificateAndKey const& pair) : respond_(std::move(respond)) {
  std::signal(SIGPIPE, SIG_IGN);
  is_tls_ = !pair.certificate.empty();
  if (is_tls_) tls_ = std::make_shared<Tls>(pair);
  listen();
}

HttpProvider::~HttpProvider() {
  die();
}

void HttpProvider::listen() {
  listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int const on = 1;
  ::setsockopt(listening_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(listening_, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(listening_, 64) != 0)
    throw std::runtime_error("the provider cannot listen");
  ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this, listening = listening_] { accept_all(listening); });
}

void HttpProvider::accept_all(int listening) {
  while (true) {
    int const socket = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    std::scoped_lock const lock(mutex_);
    auto& connection = connections_.emplace_back();
    connection.socket = socket;
    connection.thread = std::thread([this, &connection] { serve(connection); });
  }
}

Provided HttpProvider::answer_to(std::string const& head) {
  auto const start = head.find(' ') + 1;
  auto const target = head.substr(start, head.find(' ', start) - start);
  Respond respond;
  {
    std::scoped_lock const lock(mutex_);
    targets_.push_back(target);
    last_head_ = head;
    respond = respond_;
  }
  return respond(target, head);
}

void HttpProvider::serve(Connection& connection) {
  std::shared_ptr<Tls> tls;
  {
    std::scoped_lock const lock(mutex_);
    tls = tls_;
  }
  std::unique_ptr<SSL, decltype(&SSL_free)> const session(tls ? SSL_new(tls->context.get()) : nullptr, SSL_free);
  auto const finish = [&] { ::shutdown(connection.socket, SHUT_RDWR); };
  if (session) {
    SSL_set_fd(session.get(), connection.socket);
    if (SSL_accept(session.get()) != 1) return finish();
  }
  std::string head;
  while (head.find("\r\n\r\n") == head.npos) {
    char block[4096];
    auto const got = session ? SSL_read(session.get(), block, sizeof block)
                             : static_cast<int>(::read(connection.socket, block, sizeof block));
    if (got <= 0) return finish();
    head.append(block, static_cast<std::size_t>(got));
  }
  auto const answer = answer_to(head);
  if (!answer.stalls && !send_all(connection.socket, session.get(), bytes_of(answer))) return finish();
  if (answer.stalls || answer.stalls_midway) {
    drain(connection.socket);
    return finish();
  }
  if (session) SSL_shutdown(session.get());
  ::shutdown(connection.socket, SHUT_WR);
  drain(connection.socket);
}

std::string HttpProvider::url(std::string_view path) const {
  return (is_tls_ ? "https://localhost:" : "http://localhost:") + std::to_string(port_) + std::string(path);
}

void HttpProvider::respond(Respond respond) {
  std::scoped_lock const lock(mutex_);
  respond_ = std::move(respond);
}

void HttpProvider::present(CertificateAndKey const& pair) {
  auto tls = std::make_shared<Tls>(pair);
  std::scoped_lock const lock(mutex_);
  tls_ = std::move(tls);
}

void HttpProvider::die() {
  if (listening_ < 0) return;
  ::shutdown(listening_, SHUT_RDWR);
  acceptor_.join();
  ::close(std::exchange(listening_, -1));
  std::list<Connection> ended;
  {
    std::scoped_lock const lock(mutex_);
    ended.swap(connections_);
  }
  for (auto& connection : ended) ::shutdown(connection.socket, SHUT_RDWR);
  for (auto& connection : ended) {
    connection.thread.join();
    ::close(connection.socket);
  }
}

void HttpProvider::revive() {
  listen();
}

std::size_t HttpProvider::count(std::string_view target) const {
  std::scoped_lock const lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count(targets_, target));
}

std::string HttpProvider::last_head() const {
  std::scoped_lock const lock(mutex_);
  return last_head_;
}

}  // namespace deployd::tests
