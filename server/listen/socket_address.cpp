#include "server/listen/socket_address.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/asio/local/stream_protocol.hpp>

#include <cstring>

namespace deployd::server {
namespace {

using boost::asio::ip::tcp;

using Ask = int (*)(int, sockaddr*, socklen_t*);

SocketAddress ask_kernel(Ask ask, int socket) noexcept {
  SocketAddress address;
  auto size = static_cast<socklen_t>(address.capacity());
  if (ask(socket, address.data(), &size) != 0) return {};
  address.resize(size);
  return address;
}

template <typename Endpoint>
Endpoint converted(SocketAddress const& address) {
  Endpoint endpoint;
  std::memcpy(endpoint.data(), address.data(), address.size());
  endpoint.resize(address.size());
  return endpoint;
}

}  // namespace

SocketAddress local_address(int socket) noexcept {
  return ask_kernel(::getsockname, socket);
}

SocketAddress peer_address(int socket) noexcept {
  return ask_kernel(::getpeername, socket);
}

std::optional<tcp::endpoint> to_tcp(SocketAddress const& address) noexcept {
  auto const family = address.protocol().family();
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  return converted<tcp::endpoint>(address);
}

std::string to_text(SocketAddress const& address) {
  if (auto const tcp = to_tcp(address)) {
    auto const host = tcp->address().to_string();
    return fmt::format("{}:{}", tcp->address().is_v6() ? "[" + host + "]" : host, tcp->port());
  }
  if (address.protocol().family() != AF_UNIX) return {};
  auto path = converted<boost::asio::local::stream_protocol::endpoint>(address).path();
  if (path.starts_with('\0')) path.front() = '@';
  return "unix:" + path;
}

}  // namespace deployd::server
