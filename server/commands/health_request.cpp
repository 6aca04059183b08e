#include "server/commands/health_request.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/file_descriptor.hpp"
#include "server/listen/socket_address.hpp"
#include "server/tls/openssl_owned.hpp"

namespace deployd::server {
namespace {

constexpr std::string_view request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

// More than the length of any usual status line.
constexpr std::size_t longest_status_line = 1024;

/// The deadline of a health check.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds timeout) : timeout_(timeout), end_(Clock::now() + timeout) {}

  /// Waits until `socket` is ready for `events` of poll(2). Throws after the deadline.
  void wait(int socket, short events) const {
    pollfd waiting{socket, events, 0};
    while (true) {
      auto const left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
      if (left.count() <= 0) throw std::runtime_error(fmt::format("no response within {} ms", timeout_.count()));
      constexpr std::chrono::milliseconds::rep longest = 3'600'000;
      if (::poll(&waiting, 1, static_cast<int>(std::min(left.count(), longest))) > 0) return;
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::chrono::milliseconds timeout_;
  Clock::time_point end_;
};

[[noreturn]] void fail(int error) {
  throw std::runtime_error(std::system_category().message(error));
}

SocketAddress unix_address(UnixAddress const& address) {
  SocketAddress result;
  auto* const local = reinterpret_cast<sockaddr_un*>(&result.storage);
  local->sun_family = AF_UNIX;
  std::memcpy(local->sun_path, address.path.c_str(), std::min(address.path.size() + 1, sizeof(local->sun_path)));
  result.size = sizeof(sockaddr_un);
  return result;
}

void add_tcp(std::vector<SocketAddress>& addresses, std::string const& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  auto const failure = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> const list(found, &::freeaddrinfo);
  if (failure != 0)
    throw std::runtime_error(fmt::format("the name '{}' cannot be resolved: {}", host, ::gai_strerror(failure)));
  for (auto const* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
    addresses.push_back(address);
  }
}

/// Returns the addresses to which a client on the same machine connects.
std::vector<SocketAddress> addresses_of(ListenAddress const& address) {
  if (auto const* const local = std::get_if<UnixAddress>(&address)) return {unix_address(*local)};
  std::vector<SocketAddress> addresses;
  if (auto const* const named = std::get_if<HostAddress>(&address); named != nullptr && !named->name.empty()) {
    add_tcp(addresses, named->name, named->port);
  } else if (named != nullptr) {
    add_tcp(addresses, "127.0.0.1", named->port);
    add_tcp(addresses, "::1", named->port);
  } else {
    auto const& tcp = std::get<TcpAddress>(address);
    add_tcp(addresses, tcp.host, tcp.port);
    auto* const endpoint = &addresses.front().storage;
    auto* const v4 = reinterpret_cast<sockaddr_in*>(endpoint);
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(endpoint);
    if (endpoint->ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
      v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (endpoint->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr)) v6->sin6_addr = in6addr_loopback;
  }
  return addresses;
}

base::FileDescriptor connect(SocketAddress const& address, Deadline const& deadline) {
  base::FileDescriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) fail(errno);
  if (::connect(socket.get(), address.get(), address.size) == 0) return socket;
  // EAGAIN: the backlog of a Unix domain socket is full.
  if (errno != EINPROGRESS) fail(errno);
  deadline.wait(socket.get(), POLLOUT);
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) fail(error);
  return socket;
}

base::FileDescriptor connect_to_one(std::vector<SocketAddress> const& addresses, Deadline const& deadline) {
  std::string why;
  for (auto const& address : addresses) {
    try {
      return connect(address, deadline);
    } catch (std::runtime_error const& failure) {
      if (why.empty()) why = failure.what();
    }
  }
  throw std::runtime_error(why);
}

class PlainChannel {
 public:
  PlainChannel(int socket, Deadline const& deadline) : socket_(socket), deadline_(deadline) {}

  void send(std::string_view bytes) {
    // The request fits into the send buffer of a new connection.
    if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) fail(errno);
  }

  std::size_t receive(std::span<char> into) {
    deadline_.wait(socket_, POLLIN);
    auto const size = ::recv(socket_, into.data(), into.size(), 0);
    if (size < 0) fail(errno);
    return static_cast<std::size_t>(size);
  }

 private:
  int socket_;
  Deadline const& deadline_;
};

class TlsChannel {
 public:
  TlsChannel(int socket, Deadline const& deadline)
      : socket_(socket), deadline_(deadline), context_(SSL_CTX_new(TLS_client_method())) {
    if (context_) connection_.reset(SSL_new(context_.get()));
    if (!connection_ || SSL_set_fd(connection_.get(), socket) != 1) throw std::runtime_error(take_openssl_reason());
    until_done([this] { return SSL_connect(connection_.get()); });
  }

  void send(std::string_view bytes) {
    until_done([&] { return SSL_write(connection_.get(), bytes.data(), static_cast<int>(bytes.size())); });
  }

  std::size_t receive(std::span<char> into) {
    return until_done([&] { return SSL_read(connection_.get(), into.data(), static_cast<int>(into.size())); });
  }

 private:
  template <typename Step>
  std::size_t until_done(Step step) {
    while (true) {
      ERR_clear_error();
      auto const result = step();
      if (result > 0) return static_cast<std::size_t>(result);
      switch (SSL_get_error(connection_.get(), result)) {
        case SSL_ERROR_WANT_READ: deadline_.wait(socket_, POLLIN); break;
        case SSL_ERROR_WANT_WRITE: deadline_.wait(socket_, POLLOUT); break;
        case SSL_ERROR_ZERO_RETURN: return 0;
        default: throw std::runtime_error("HTTPS: " + take_openssl_reason());
      }
    }
  }

  int socket_;
  Deadline const& deadline_;
  OpenSslOwned<SSL_CTX> context_;
  OpenSslOwned<SSL> connection_;
};

/// Returns the status in a status line of HTTP/1.x.
std::optional<int> status_of(std::string_view line) {
  constexpr std::string_view version = "HTTP/1.";
  if (!line.starts_with(version) || line.size() < version.size() + 5 || line[version.size() + 1] != ' ')
    return std::nullopt;
  int status = 0;
  for (char const c : line.substr(version.size() + 2, 3)) {
    if (c < '0' || c > '9') return std::nullopt;
    status = 10 * status + (c - '0');
  }
  return status;
}

template <typename Channel>
int ask(Channel channel) {
  channel.send(request);
  std::string response;
  std::array<char, longest_status_line> block{};
  while (response.find('\n') == response.npos && response.size() < longest_status_line) {
    auto const size = channel.receive(block);
    if (size == 0) throw std::runtime_error("the connection was closed without a response");
    response.append(block.data(), size);
  }
  auto const status = status_of(response);
  if (!status) throw std::runtime_error("the response is not HTTP");
  return *status;
}

}  // namespace

int ask_for_health(ListenAddress const& address, bool tls, std::chrono::milliseconds timeout) {
  Deadline const deadline(timeout);
  auto const socket = connect_to_one(addresses_of(address), deadline);
  return tls ? ask(TlsChannel(socket.get(), deadline)) : ask(PlainChannel(socket.get(), deadline));
}

}  // namespace deployd::server
