// Socket addresses in the kernel's format and as text.
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

/// Returns the address that a socket is bound to; without family if it cannot be determined.
SocketAddress local_address(int socket) noexcept;

/// Returns the address that a socket is connected to; without family if it cannot be determined.
SocketAddress peer_address(int socket) noexcept;

/// Returns `127.0.0.1:8080`, `[::1]:8080` or `unix:/run/deployd.sock`, with `@` for the zero byte of an abstract
/// address; empty for other families.
std::string to_string(SocketAddress const& address);

}  // namespace deployd::server
