// The byte order mark that some editors write at the beginning of UTF-8 files.
#pragma once

#include <string_view>

namespace deployd::base {

/// U+FEFF in UTF-8.
inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// Returns `text` without a byte order mark at its beginning.
constexpr std::string_view without_byte_order_mark(std::string_view text) noexcept {
  return text.substr(text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0);
}

}  // namespace deployd::base
