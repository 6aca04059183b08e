// Escapes text for JSON strings.
#pragma once

#include <string>
#include <string_view>

namespace deployd::base {

/// Appends `text` to `out`, escaped as RFC 8259 §7 requires and in the same form as Boost.JSON. Replaces every byte
/// that is not UTF-8 with U+FFFD, and returns false if there were such bytes.
bool append_json_escaped(std::string& out, std::string_view text);

/// Returns `text` as a JSON string, in quotation marks.
std::string json_quoted(std::string_view text);

}  // namespace deployd::base
