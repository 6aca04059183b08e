// The addresses on which deployd can listen.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>
#include <variant>

namespace deployd::server {

/// A value of --listen for a TCP endpoint: a numeric address, not a host name. Port 0 selects a free port.
using TcpAddress = boost::asio::ip::tcp::endpoint;

/// A value of --listen for a Unix domain socket: `unix:/run/deployd.sock`.
struct UnixAddress {
  std::string path;

  bool operator==(UnixAddress const&) const = default;
};

/// A value of --listen with a host name: `localhost:8080` means each address of that name, and `:8080`, with an empty
/// name, all addresses of this machine. See `resolve`.
struct HostAddress {
  std::string name;
  std::uint16_t port = 0;

  bool operator==(HostAddress const&) const = default;
};

using ListenAddress = std::variant<TcpAddress, UnixAddress, HostAddress>;

}  // namespace deployd::server
