#include "tests/integration/http_connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace deployd::tests {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds patience{30};

[[noreturn]] void fail(std::string const& what) {
  throw std::runtime_error("HTTP client: " + what);
}

bool same_name(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

void connect_to(int socket, sockaddr const* address, socklen_t size) {
  if (socket >= 0 && ::connect(socket, address, size) == 0) return;
  std::string const why = std::strerror(errno);
  if (socket >= 0) ::close(socket);  // not owned by an object yet
  fail("cannot connect: " + why);
}

}  // namespace

bool HttpAnswer::has(std::string_view name) const noexcept {
  return std::ranges::any_of(fields, [&](auto const& field) { return same_name(field.first, name); });
}

std::string HttpAnswer::operator[](std::string_view name) const {
  std::string const* found = nullptr;
  for (auto const& [field, value] : fields) {
    if (!same_name(field, name)) continue;
    if (found != nullptr) fail("twice in one answer: " + std::string(name));
    found = &value;
  }
  return found == nullptr ? "(none)" : *found;
}

HttpConnection::HttpConnection(std::uint16_t port, int receive_buffer)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer != 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  connect(port);
}

HttpConnection::HttpConnection(std::uint16_t port, std::string const& source)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, source.c_str(), &address.sin_addr);
  if (::bind(socket_, reinterpret_cast<sockaddr const*>(&address), sizeof(address)) != 0)
    fail("cannot connect from " + source + ": " + std::strerror(errno));
  connect(port);
}

void HttpConnection::connect(std::uint16_t port) {
  int const on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connect_to(socket_, reinterpret_cast<sockaddr const*>(&address), sizeof(address));
}

HttpConnection::HttpConnection(std::string const& unix_path)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (unix_path.size() >= sizeof(address.sun_path)) fail("the path of the socket is too long");
  std::memcpy(address.sun_path, unix_path.c_str(), unix_path.size() + 1);
  connect_to(socket_, reinterpret_cast<sockaddr const*>(&address), sizeof(address));
}

HttpConnection::HttpConnection(std::uint16_t port, TlsClient& client, int receive_buffer)
    : HttpConnection(port, receive_buffer) {
  ::fcntl(socket_, F_SETFL, O_NONBLOCK);
  tls_ = std::make_unique<TlsConnection>(client, socket_);
}

HttpConnection::HttpConnection(HttpConnection&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      tls_(std::move(other.tls_)),
      buffer_(std::move(other.buffer_)),
      reset_(other.reset_) {}

HttpConnection::~HttpConnection() {
  if (socket_ >= 0) ::close(socket_);
}

void HttpConnection::send(std::string_view bytes) {
  if (tls_)
    tls_->send(bytes);
  else
    send_raw(bytes);
}

void HttpConnection::send_raw(std::string_view bytes) {
  auto const deadline = steady_clock::now() + patience;
  while (!bytes.empty()) {
    auto const sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    // A server that has closed already may have answered before: what it said is still to be read.
    if (errno == EPIPE || errno == ECONNRESET) return;
    if (errno != EAGAIN && errno != EINTR) fail(std::string("cannot send: ") + std::strerror(errno));
    if (steady_clock::now() > deadline) fail("the server takes nothing");
    pollfd waiting{socket_, POLLOUT, 0};
    ::poll(&waiting, 1, 100);
  }
}

void HttpConnection::finish_sending() {
  if (tls_) return tls_->finish_sending();
  ::shutdown(socket_, SHUT_WR);
}

/// False at the end of the connection.
bool HttpConnection::read_some(steady_clock::time_point deadline) {
  while (true) {
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    pollfd waiting{socket_, POLLIN, 0};
    if (left.count() <= 0) fail("nothing came; so far: " + buffer_.substr(0, 2000));
    if (tls_) {
      auto const got = tls_->read(buffer_, static_cast<int>(left.count()));
      if (got == TlsConnection::Got::nothing) continue;
      return got == TlsConnection::Got::bytes;
    }
    if (::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) continue;
    std::array<char, 65536> bytes;
    auto const received = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && errno == ECONNRESET) reset_ = true;
    if (received <= 0) return false;
    buffer_.append(bytes.data(), static_cast<std::size_t>(received));
    return true;
  }
}

void HttpConnection::fail_at_end() const {
  if (reset_) fail("Connection reset by peer");
  fail("the connection ended in the middle of an answer: " + buffer_.substr(0, 2000));
}

std::string HttpConnection::take(std::size_t count) {
  auto const deadline = steady_clock::now() + patience;
  while (buffer_.size() < count)
    if (!read_some(deadline)) fail_at_end();
  auto taken = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return taken;
}

std::string HttpConnection::take_line() {
  auto const deadline = steady_clock::now() + patience;
  auto end = buffer_.find("\r\n");
  while (end == std::string::npos) {
    if (!read_some(deadline)) fail_at_end();
    end = buffer_.find("\r\n");
  }
  auto line = take(end + 2);
  line.resize(end);
  return line;
}

HttpAnswer HttpConnection::read_answer(bool to_head) {
  HttpAnswer answer;
  answer.head = take_line();
  if (!answer.head.starts_with("HTTP/1.1 ")) fail("no status line: " + answer.head);
  answer.status = static_cast<unsigned>(std::stoul(answer.head.substr(9, 3)));
  for (auto line = take_line(); !line.empty(); line = take_line()) {
    answer.head += "\r\n" + line;
    auto const colon = line.find(": ");
    if (colon == std::string::npos) fail("no field: " + line);
    answer.fields.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  answer.chunked = answer["Transfer-Encoding"] == "chunked";
  if (to_head || answer.status == 204 || answer.status == 304) return answer;
  if (answer.chunked) {
    while (true) {
      auto const size = std::stoul(take_line(), nullptr, 16);
      answer.body += take(size);
      if (!take_line().empty()) fail("a chunk is longer than it says");
      if (size == 0) return answer;
    }
  }
  if (answer.has("Content-Length")) {
    answer.body = take(std::stoul(answer["Content-Length"]));
    return answer;
  }
  answer.body = read_to_end();
  return answer;
}

void HttpConnection::skip(std::size_t count) {
  take(count);
}

std::string HttpConnection::read_to_end() {
  auto const deadline = steady_clock::now() + patience;
  while (read_some(deadline)) continue;
  return std::exchange(buffer_, {});
}

bool HttpConnection::has_bytes_within(std::chrono::milliseconds deadline) {
  if (!buffer_.empty()) return true;
  if (tls_) return tls_->read(buffer_, static_cast<int>(deadline.count())) != TlsConnection::Got::nothing;
  pollfd waiting{socket_, POLLIN, 0};
  return ::poll(&waiting, 1, static_cast<int>(deadline.count())) > 0;
}

bool HttpConnection::ends_within(std::chrono::milliseconds deadline) {
  if (!buffer_.empty() || !has_bytes_within(deadline) || !buffer_.empty()) return false;
  return !read_some(steady_clock::now() + patience);
}

}  // namespace deployd::tests
