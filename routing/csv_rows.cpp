#include "routing/csv_rows.hpp"

#include "base/utf8.hpp"

namespace deployd::routing {
namespace {

/// Quotes fields too that some readers change: those with semicolons or tabs, or with blanks at their ends.
bool needs_quotes(std::string_view text) noexcept {
  return text.empty() || text.find_first_of(",;\t\"\r\n") != std::string_view::npos || text.front() == ' ' ||
         text.back() == ' ';
}

void append_field(std::string& out, std::string_view text) {
  if (!needs_quotes(text)) {
    out += text;
    return;
  }
  out += '"';
  for (auto const c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace

void append_csv_row(std::string& out, std::int64_t id, std::optional<std::int64_t> pattern_id,
                    std::optional<std::string_view> name) {
  out += std::to_string(id);
  out += ',';
  if (pattern_id) {
    out += std::to_string(*pattern_id);
    out += ',';
  }
  if (name) {
    if (base::is_utf8(*name))
      append_field(out, *name);
    else
      append_field(out, base::to_valid_utf8(*name));
  }
  out += "\r\n";
}

}  // namespace deployd::routing
