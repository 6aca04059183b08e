// Text as it stands inside a JSON string.
#pragma once

#include <string>
#include <string_view>

namespace deployd::base {

/// Appends `text` to `out` with what RFC 8259 §7 wants escaped, as Boost.JSON would escape it, and U+FFFD for every
/// byte that is not UTF-8. False when there were such bytes.
bool append_json_escaped(std::string& out, std::string_view text);

}  // namespace deployd::base
