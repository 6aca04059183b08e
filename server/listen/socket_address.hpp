// Addresses of sockets in the kernel's form, and as they are written.
#pragma once

#include <sys/socket.h>

#include <string>

namespace deployd::server {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  sockaddr const* get() const noexcept { return reinterpret_cast<sockaddr const*>(&storage); }
  int family() const noexcept { return storage.ss_family; }
};

/// The address that a socket is bound to; of no family when it cannot be told.
SocketAddress local_address(int socket) noexcept;

/// The address that a socket is connected to; of no family when it cannot be told.
SocketAddress peer_address(int socket) noexcept;

/// `127.0.0.1:8080`, `[::1]:8080` or `unix:/run/deployd.sock`, with `@` for the zero byte of an abstract one; empty for
/// other families.
std::string to_string(SocketAddress const& address);

}  // namespace deployd::server
