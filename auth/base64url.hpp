// base64url as JOSE wants it (RFC 7515 §2, RFC 4648 §5): no padding, no line breaks, no spare bits.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace deployd::auth {

/// The bytes that `text` stands for; nothing unless `text` is their one canonical form.
std::optional<std::string> decode_base64url(std::string_view text);

/// True if `text` is the canonical form of `count` bytes.
bool is_base64url_of(std::string_view text, std::size_t count) noexcept;

/// The canonical form of `bytes`.
std::string encode_base64url(std::string_view bytes);

}  // namespace deployd::auth
