// Writes fields of CSV (RFC 4180).
#pragma once

#include <string>
#include <string_view>

namespace deployd::base {

/// Appends a field, in quotation marks if it needs them. Also quotes fields that some readers would change: those with
/// semicolons or tabs, with blanks at their ends, and the empty text, which they take for a missing value.
void append_csv_field(std::string& out, std::string_view text);

}  // namespace deployd::base
