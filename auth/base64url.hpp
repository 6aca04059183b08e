// base64url as required by JOSE (RFC 7515 §2, RFC 4648 §5): no padding, no line breaks, no spare bits.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace deployd::auth {

/// Returns the bytes that `text` encodes, or nothing unless `text` is their canonical form.
std::optional<std::string> decode_base64url(std::string_view text);

/// True if `text` is the canonical form of `count` bytes.
bool is_base64url_of(std::string_view text, std::size_t count) noexcept;

/// Returns the canonical form of `bytes`.
std::string encode_base64url(std::string_view bytes);

}  // namespace deployd::auth
