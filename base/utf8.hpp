// UTF-8 (RFC 3629).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace deployd::base {

/// U+FFFD, which replaces invalid bytes.
inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

/// Returns the length of the well-formed UTF-8 sequence that starts at `at`, which must be inside `text`, or 0 if there
/// is none.
std::size_t utf8_sequence_length(std::string_view text, std::size_t at) noexcept;

/// True if `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

/// Returns `text` with every ill-formed byte replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace deployd::base
