#include "server/listen/socket_address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <cstddef>

namespace deployd::server {
namespace {

using Ask = int (*)(int, sockaddr*, socklen_t*);

SocketAddress ask_kernel(Ask ask, int socket) noexcept {
  SocketAddress address;
  address.size = sizeof(address.storage);
  if (ask(socket, address.get(), &address.size) != 0) return {};
  return address;
}

std::string unix_name(SocketAddress const& address) {
  auto const* const local = reinterpret_cast<sockaddr_un const*>(&address.storage);
  auto const size = address.size - offsetof(sockaddr_un, sun_path);
  bool const abstract = size > 0 && local->sun_path[0] == '\0';
  if (abstract) return fmt::format("unix:@{}", std::string_view(local->sun_path + 1, size - 1));
  return fmt::format("unix:{}", std::string_view(local->sun_path, ::strnlen(local->sun_path, size)));
}

}  // namespace

SocketAddress local_address(int socket) noexcept {
  return ask_kernel(::getsockname, socket);
}

SocketAddress peer_address(int socket) noexcept {
  return ask_kernel(::getpeername, socket);
}

std::string to_string(SocketAddress const& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.family() == AF_INET) {
    auto const* const v4 = reinterpret_cast<sockaddr_in const*>(&address.storage);
    ::inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(v4->sin_port));
  }
  if (address.family() == AF_INET6) {
    auto const* const v6 = reinterpret_cast<sockaddr_in6 const*>(&address.storage);
    ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    return fmt::format("[{}]:{}", text.data(), ntohs(v6->sin6_port));
  }
  if (address.family() == AF_UNIX) return unix_name(address);
  return {};
}

}  // namespace deployd::server
