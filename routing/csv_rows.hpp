// Writes records as CSV (RFC 4180).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace deployd::routing {

/// Appends `id,name` and the line end, preceded by a `pattern_id` if there is one. A field with commas, quotes, line
/// ends or white space at its ends is quoted, and so is an empty name, unlike one that is missing. Bytes that are not
/// UTF-8 are replaced, as in JSON.
void append_csv_row(std::string& out, std::int64_t id, std::optional<std::int64_t> pattern_id,
                    std::optional<std::string_view> name);

}  // namespace deployd::routing
