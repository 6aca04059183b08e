#include "server/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace deployd::server {
namespace {

/// An address in the kernel's form.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  sockaddr const* get() const noexcept { return reinterpret_cast<sockaddr const*>(&storage); }
  int family() const noexcept { return storage.ss_family; }
};

[[noreturn]] void fail(std::string const& name, int error) {
  std::string line = "cannot listen on " + name + ": ";
  if (error == EADDRINUSE)
    line += "another process listens there";
  else
    line += std::system_category().message(error);
  throw ListenError(line);
}

SocketAddress to_socket_address(TcpAddress const& address, std::string const& name) {
  SocketAddress result;
  if (auto* const v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
      inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    result.size = sizeof(sockaddr_in);
    return result;
  }
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  if (inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr) != 1) fail(name, EINVAL);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(address.port);
  result.size = sizeof(sockaddr_in6);
  return result;
}

SocketAddress to_socket_address(UnixAddress const& address, std::string const& name) {
  SocketAddress result;
  auto* const local = reinterpret_cast<sockaddr_un*>(&result.storage);
  if (address.path.size() >= sizeof(local->sun_path)) fail(name, ENAMETOOLONG);
  local->sun_family = AF_UNIX;
  std::memcpy(local->sun_path, address.path.c_str(), address.path.size() + 1);
  result.size = sizeof(sockaddr_un);
  return result;
}

FileDescriptor open_socket(int family, std::string const& name) {
  FileDescriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) fail(name, errno);
  return socket;
}

void switch_on(FileDescriptor const& socket, int level, int option) noexcept {
  int const on = 1;
  ::setsockopt(socket.get(), level, option, &on, sizeof(on));
}

FileDescriptor bind_tcp(SocketAddress const& address, bool share_port, std::string const& name) {
  auto socket = open_socket(address.family(), name);
  switch_on(socket, SOL_SOCKET, SO_REUSEADDR);
  if (share_port) switch_on(socket, SOL_SOCKET, SO_REUSEPORT);
  if (address.family() == AF_INET6) switch_on(socket, IPPROTO_IPV6, IPV6_V6ONLY);
  switch_on(socket, IPPROTO_TCP, TCP_NODELAY);  // accepted sockets inherit it
  if (::bind(socket.get(), address.get(), address.size) != 0) fail(name, errno);
  return socket;
}

void start_listening(FileDescriptor const& socket, std::string const& name) {
  if (::listen(socket.get(), SOMAXCONN) != 0) fail(name, errno);
}

SocketAddress local_address(FileDescriptor const& socket, std::string const& name) {
  SocketAddress address;
  address.size = sizeof(address.storage);
  if (::getsockname(socket.get(), address.get(), &address.size) != 0) fail(name, errno);
  return address;
}

std::uint16_t port_of(SocketAddress const& address) noexcept {
  // The port stands at the same place in both families' form.
  return ntohs(reinterpret_cast<sockaddr_in const*>(&address.storage)->sin_port);
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

std::string to_string(ListenAddress const& address) {
  if (auto const* local = std::get_if<UnixAddress>(&address)) return "unix:" + local->path;
  auto const& tcp = std::get<TcpAddress>(address);
  bool const v6 = tcp.host.find(':') != std::string::npos;
  return (v6 ? "[" + tcp.host + "]" : tcp.host) + ":" + std::to_string(tcp.port);
}

Listener::Listener(ListenAddress const& address, unsigned workers, bool take_over) : name_(to_string(address)) {
  if (auto const* tcp = std::get_if<TcpAddress>(&address))
    listen_tcp(*tcp, workers, take_over);
  else
    listen_unix(std::get<UnixAddress>(address), workers);
}

Listener::~Listener() {
  if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
}

void Listener::listen_tcp(TcpAddress const& address, unsigned workers, bool take_over) {
  auto wanted = to_socket_address(address, name_);
  // A socket that does not share its port finds out whether anybody listens on it.
  if (!take_over && address.port != 0) bind_tcp(wanted, false, name_);
  for (unsigned worker = 0; worker < workers; ++worker) {
    sockets_.push_back(bind_tcp(wanted, true, name_));
    if (worker == 0) {
      wanted = local_address(sockets_.front(), name_);
      name_ = to_string(TcpAddress{address.host, port_of(wanted)});
    }
  }
  for (auto const& socket : sockets_) start_listening(socket, name_);
}

void Listener::listen_unix(UnixAddress const& address, unsigned workers) {
  auto const wanted = to_socket_address(address, name_);
  auto const probe = open_socket(AF_UNIX, name_);
  if (::connect(probe.get(), wanted.get(), wanted.size) == 0 || errno == EAGAIN) fail(name_, EADDRINUSE);
  // Left behind by a process that is gone. Connecting to a file of another kind is refused as well.
  if (errno == ECONNREFUSED && std::filesystem::is_socket(address.path)) ::unlink(address.path.c_str());

  auto socket = open_socket(AF_UNIX, name_);
  if (::bind(socket.get(), wanted.get(), wanted.size) != 0) fail(name_, errno);
  unix_path_ = address.path;
  start_listening(socket, name_);
  for (unsigned worker = 0; worker < workers; ++worker) {
    sockets_.emplace_back(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    if (sockets_.back().get() < 0) fail(name_, errno);
  }
}

}  // namespace deployd::server
