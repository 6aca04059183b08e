// Parses 64-bit integers in the notation of PostgreSQL's numbers.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace deployd::storage {

/// Returns the integer in `text`, which may have a fraction of zeros (`1.00`), or nothing for anything else.
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
