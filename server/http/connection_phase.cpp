#include "server/http/connection_phase.hpp"

namespace deployd::server {

std::string_view to_string(ConnectionPhase phase) noexcept {
  switch (phase) {
    case ConnectionPhase::handshake: return "handshake";
    case ConnectionPhase::idle: return "idle";
    case ConnectionPhase::head: return "head";
    case ConnectionPhase::answering: return "answering";
    case ConnectionPhase::sending: return "sending";
    case ConnectionPhase::lingering: return "lingering";
  }
  return "unknown";
}

}  // namespace deployd::server
