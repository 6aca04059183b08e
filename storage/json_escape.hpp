// Text as it stands inside a JSON string.
#pragma once

#include <string>
#include <string_view>

namespace deployd::storage {

/// Appends `text`, which must be UTF-8, to `out` with what RFC 8259 §7 wants escaped, as Boost.JSON would escape it.
void append_json_escaped(std::string& out, std::string_view text);

}  // namespace deployd::storage
