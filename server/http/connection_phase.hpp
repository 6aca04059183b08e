// The phases of a connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deployd::server {

enum class ConnectionPhase : std::uint8_t {
  handshake,  // TLS handshake
  idle,       // between two requests
  head,       // part of a request has arrived
  answering,  // nothing is expected from the client
  sending,
  lingering,  // everything was sent; the client may still be sending
};

inline constexpr std::size_t connection_phases = static_cast<std::size_t>(ConnectionPhase::lingering) + 1;

std::string_view to_string(ConnectionPhase phase) noexcept;

}  // namespace deployd::server
