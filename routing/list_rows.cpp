#include "routing/list_rows.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/csv_field.hpp"
#include "base/json_escape.hpp"
#include "base/utf8.hpp"
#include "routing/response.hpp"

namespace deployd::routing {
namespace {

/// Room for the numbers of a row and the text around them: two of at most 20 characters, and the names of members. They
/// are assembled first, since seven appends cost more than formatting the numbers.
using Numbers = std::array<char, 80>;

char* put(char* at, std::string_view text) noexcept {
  return std::copy(text.begin(), text.end(), at);
}

char* put(char* at, std::int64_t value) noexcept {
  return std::to_chars(at, at + 20, value).ptr;
}

/// Most characters of most names: ASCII that never needs quotes in CSV.
constexpr std::array<bool, 256> plain_characters = [] {
  std::array<bool, 256> plain{};
  for (unsigned char c = ' '; c < 0x7F; ++c) plain[c] = c != ',' && c != ';' && c != '"';
  return plain;
}();

bool is_plain(char c) noexcept {
  return plain_characters[static_cast<unsigned char>(c)];
}

}  // namespace

std::string_view content_type(Format format) noexcept {
  switch (format) {
    case Format::json: break;
    case Format::ndjson: return "application/x-ndjson";
    case Format::csv: return "text/csv; charset=utf-8; header=present";
  }
  return json_type;
}

void append_json(std::string& out, std::int64_t id, std::optional<std::int64_t> pattern_id,
                 std::optional<std::string_view> name) {
  Numbers numbers;
  auto* end = put(numbers.data(), R"({"id":)");
  end = put(end, id);
  if (pattern_id) end = put(put(end, R"(,"pattern_id":)"), *pattern_id);
  end = put(end, R"(,"name":")");
  out.append(numbers.data(), end);
  if (!name) [[unlikely]] {
    out.back() = 'n';
    out += "ull}";
    return;
  }
  base::append_json_escaped(out, *name);
  out += R"("})";
}

void append_csv(std::string& out, std::int64_t id, std::optional<std::int64_t> pattern_id,
                std::optional<std::string_view> name) {
  Numbers numbers;
  auto* end = put(put(numbers.data(), id), ",");
  if (pattern_id) end = put(put(end, *pattern_id), ",");
  out.append(numbers.data(), end);
  if (name) {
    bool const plain = !name->empty() && name->front() != ' ' && name->back() != ' ';
    if (plain && std::ranges::all_of(*name, is_plain))
      out += *name;
    else if (base::is_utf8(*name))
      base::append_csv_field(out, *name);
    else
      base::append_csv_field(out, base::to_valid_utf8(*name));
  }
  out += "\r\n";
}

void ListRows::begin() {
  if (format_ == Format::json) out_ += '[';
  if (format_ == Format::csv) out_ += table_ == storage::Table::patterns ? "id,name\r\n" : "id,pattern_id,name\r\n";
}

void ListRows::end() {
  if (format_ == Format::json) out_ += ']';
}

bool ListRows::row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) {
  last_id_ = id;
  auto const pattern = table_ == storage::Table::patterns ? std::nullopt : std::optional(pattern_id);
  if (format_ == Format::csv) {
    append_csv(out_, id, pattern, name);
    return out_.size() < enough_;
  }
  if (format_ == Format::json && !first_) out_ += ',';
  first_ = false;
  append_json(out_, id, pattern, name);
  if (format_ == Format::ndjson) out_ += '\n';
  return out_.size() < enough_;
}

}  // namespace deployd::routing
