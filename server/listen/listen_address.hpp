// The addresses on which deployd can listen.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace deployd::server {

/// A value of --listen for a TCP endpoint: a numeric address, not a host name. Port 0 selects a free port.
struct TcpAddress {
  std::string host;  // such as `127.0.0.1` or `::1`
  std::uint16_t port = 0;
};

/// A value of --listen for a Unix domain socket: `unix:/run/deployd.sock`.
struct UnixAddress {
  std::string path;
};

/// A value of --listen with a host name: `localhost:8080` means each address of that name, and `:8080`, with an empty
/// name, all addresses of this machine. See `resolve`.
struct HostAddress {
  std::string name;
  std::uint16_t port = 0;
};

using ListenAddress = std::variant<TcpAddress, UnixAddress, HostAddress>;

}  // namespace deployd::server
