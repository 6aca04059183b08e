// Socket addresses of any family, and as text.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>

namespace deployd::server {

using SocketAddress = boost::asio::generic::stream_protocol::endpoint;

/// Returns the address that a socket is bound to; without family if it cannot be determined.
SocketAddress local_address(int socket) noexcept;

/// Returns the address that a socket is connected to; without family if it cannot be determined.
SocketAddress peer_address(int socket) noexcept;

/// Returns a TCP address; nothing for other families.
std::optional<boost::asio::ip::tcp::endpoint> to_tcp(SocketAddress const& address) noexcept;

/// Returns `127.0.0.1:8080`, `[::1]:8080` or `unix:/run/deployd.sock`, with `@` for the zero byte of an abstract
/// address; empty for other families.
std::string to_text(SocketAddress const& address);

}  // namespace deployd::server
