#include "routing/csv_rows.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.hpp"

namespace deployd::routing {
namespace {

/// Most characters of most names: ASCII that never needs quotes.
constexpr std::array<bool, 256> plain_characters = [] {
  std::array<bool, 256> plain{};
  for (unsigned char c = ' '; c < 0x7F; ++c) plain[c] = c != ',' && c != ';' && c != '"';
  return plain;
}();

bool is_plain(char c) noexcept {
  return plain_characters[static_cast<unsigned char>(c)];
}

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
  std::array<char, 44> numbers;  // two of at most 20 characters, and commas
  auto* end = std::to_chars(numbers.data(), numbers.data() + 20, id).ptr;
  *end++ = ',';
  if (pattern_id) {
    end = std::to_chars(end, end + 20, *pattern_id).ptr;
    *end++ = ',';
  }
  out.append(numbers.data(), end);
  if (name) {
    bool const plain = !name->empty() && name->front() != ' ' && name->back() != ' ';
    if (plain && std::ranges::all_of(*name, is_plain))
      out += *name;
    else if (base::is_utf8(*name))
      append_field(out, *name);
    else
      append_field(out, base::to_valid_utf8(*name));
  }
  out += "\r\n";
}

}  // namespace deployd::routing
