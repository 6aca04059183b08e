// Integers of 64 bits among the numbers that PostgreSQL writes.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace deployd::storage {

/// The integer that `text` is, with a fraction of zeros (`1.00`) or without; nothing for anything else.
inline std::optional<std::int64_t> whole_number(std::string_view text) noexcept {
  auto const* const end = text.data() + text.size();
  std::int64_t value = 0;
  auto [rest, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc()) return std::nullopt;
  if (rest != end && *rest == '.') rest = std::find_if(rest + 1, end, [](char c) { return c != '0'; });
  if (rest != end) return std::nullopt;
  return value;
}

}  // namespace deployd::storage
