// Percent-encoding (RFC 3986 §2.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace deployd::base {

enum class PlusSign { literal, space };

bool is_hex_digit(char c) noexcept;

/// True if `c` is an unreserved character of URIs (RFC 3986 §2.3).
bool is_unreserved(char c) noexcept;

/// Decodes `%XX`. Returns nothing if an escape is incomplete or not hexadecimal. The result may contain any bytes.
std::optional<std::string> percent_decode(std::string_view text, PlusSign plus);

/// Appends `text` with everything but unreserved characters (RFC 3986 §2.3) percent-encoded.
void append_percent_encoded(std::string& out, std::string_view text);

}  // namespace deployd::base
