#include "server/tls/handshake.hpp"

namespace deployd::server {

std::string_view to_string(TlsHandshake result) noexcept {
  switch (result) {
    case TlsHandshake::full: return "full";
    case TlsHandshake::resumed: return "resumed";
    case TlsHandshake::failed: return "failed";
    case TlsHandshake::plain_text: return "plain_text";
    case TlsHandshake::abandoned: return "abandoned";
  }
  return "unknown";
}

}  // namespace deployd::server
