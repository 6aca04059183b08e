// The outcomes of TLS handshakes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deployd::server {

enum class TlsHandshake : std::uint8_t {
  full,
  resumed,     // from an earlier session
  failed,      // no common parameters, or a refused certificate
  plain_text,  // the client does not speak TLS
  abandoned,   // the client disconnected or took too long
};

inline constexpr std::size_t tls_handshake_results = static_cast<std::size_t>(TlsHandshake::abandoned) + 1;

std::string_view to_string(TlsHandshake result) noexcept;

}  // namespace deployd::server
