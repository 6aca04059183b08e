#include <csv.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include "base/byte_order_mark.hpp"
#include "base/json_escape.hpp"
#include "base/utf8.hpp"
#include "storage/transfer/import_format.hpp"

namespace deployd::storage {
namespace {

constexpr std::size_t max_field_bytes = std::size_t{1} << 20;
constexpr std::size_t max_first_line_bytes = 4096;
constexpr std::size_t parser_block_bytes = 4096;  // the step by which libcsv enlarges its buffer
constexpr std::size_t max_shown_bytes = 60;

constexpr std::string_view headers =
    R"("id,name" for patterns, or "id,pattern_id,name" or "id,pattern,name" for deployments)";

/// A callback for libcsv, which would otherwise strip blanks from fields: in RFC 4180 they belong to the field.
int no_blank(unsigned char) {
  return 0;
}

constexpr bool is_line_end(char c) noexcept {
  return c == '\n' || c == '\r';
}

/// Returns text for an error message: quoted, escaped, and shortened.
std::string quoted(std::string_view text) {
  auto shown = text.substr(0, max_shown_bytes);
  // Do not cut inside a character.
  while (shown.size() < text.size() && !shown.empty() && (text[shown.size()] & 0xC0) == 0x80) shown.remove_suffix(1);
  auto result = base::json_quoted(shown);
  if (shown.size() < text.size()) result.insert(result.size() - 1, "...");
  return result;
}

/// Parses an integer in JSON's notation: without a plus sign, leading zeros or blanks.
std::optional<std::int64_t> decimal(std::string_view text) noexcept {
  auto const digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  std::int64_t value = 0;
  auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class CsvImport final : public ImportFormat {
 public:
  CsvImport(std::uint32_t source, TextPlace begin, ImportRows& rows)
      : rows_(rows), source_(source), place_(begin), field_place_(begin) {
    // Cannot fail: it only sets the members.
    csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL);
    csv_set_space_func(&parser_, no_blank);
    csv_set_blk_size(&parser_, parser_block_bytes);
  }
  ~CsvImport() override { csv_free(&parser_); }
  CsvImport(CsvImport const&) = delete;
  CsvImport& operator=(CsvImport const&) = delete;

  void read(std::string_view piece) override {
    if (separator_ == '\0' && !read_first_line(piece)) return;
    parse(piece);
  }

  void finish() override {
    if (separator_ == '\0') find_separator();
    auto const begin = field_place_;
    bool const finished = csv_fini(&parser_, on_field, on_row, this) == 0;
    if (failure_) std::rethrow_exception(failure_);
    if (!finished) refuse(begin, "the quotation mark that opens here is not closed");
    if (header_fields_ == 0) refuse_first_line();
  }

  ImportTables tables() const noexcept override { return tables_; }

 private:
  enum class Column : std::uint8_t { id, name, pattern_id, pattern, empty, unknown };
  static constexpr std::array<std::string_view, 4> column_names{"id", "name", "pattern_id", "pattern"};

  /// A field of the current row.
  struct Field {
    std::string text;
    TextPlace place;
    bool absent = false;  // empty and not quoted
  };
  // Only the number of the fields after these matters.
  static constexpr std::size_t kept_fields = 16;

  /// Collects the first line and removes it from the piece. Returns false if the line continues.
  bool read_first_line(std::string_view& piece) {
    auto const end = std::find_if(piece.begin(), piece.end(), is_line_end);
    first_line_.append(piece.begin(), end);
    if (first_line_.size() > max_first_line_bytes) refuse_first_line();
    if (end == piece.end()) return false;
    piece.remove_prefix(static_cast<std::size_t>(end - piece.begin()));
    find_separator();
    return true;
  }

  void find_separator() {
    bool in_quotes = false;
    for (char const c : first_line_) {
      if (c == '"') in_quotes = !in_quotes;
      if (in_quotes || (c != ',' && c != ';' && c != '\t')) continue;
      separator_ = c;
      csv_set_delim(&parser_, static_cast<unsigned char>(c));
      return parse(first_line_);
    }
    refuse_first_line();
  }

  /// Passes parts to libcsv that end with a separator or the end of a line: libcsv does not report where in its input a
  /// field ends, but a field can end nowhere else.
  void parse(std::string_view text) {
    while (!text.empty()) {
      auto const end =
          std::find_if(text.begin(), text.end(), [this](char c) { return c == separator_ || is_line_end(c); });
      auto const size = static_cast<std::size_t>(end - text.begin()) + (end == text.end() ? 0 : 1);
      parse_part(text.substr(0, size));
      text.remove_prefix(size);
    }
  }

  void parse_part(std::string_view part) {
    field_ended_ = false;
    auto const parsed = csv_parse(&parser_, part.data(), part.size(), on_field, on_row, this);
    if (failure_) std::rethrow_exception(failure_);
    if (parsed != part.size()) {
      if (csv_error(&parser_) != CSV_EPARSE) throw std::bad_alloc();
      pass_over(part.substr(0, parsed));
      refuse_syntax(place_);
    }
    if (parser_.entry_pos > max_field_bytes)
      refuse(field_place_, parser_.quoted != 0 ? "a field of more than 1 MiB; is its quotation mark closed?"
                                               : "a field of more than 1 MiB");
    if (field_ended_)
      in_field_ = false;
    else if (!is_line_end(part.front()))
      in_field_ = true;
    pass_over(part);
    if (!in_field_) field_place_ = place_;
  }

  /// Advances the position in the text.
  void pass_over(std::string_view part) {
    for (char const c : part) {
      bool const second_half = c == '\n' && after_cr_;
      after_cr_ = c == '\r';
      if (second_half) continue;
      if (is_line_end(c))
        place_ = {place_.line + 1, 1};
      else if ((c & 0xC0) != 0x80)
        ++place_.column;
    }
  }

  static void on_field(void* text, std::size_t size, void* self) noexcept {
    auto& import = *static_cast<CsvImport*>(self);
    if (import.failure_) return;
    try {
      import.add_field(static_cast<char const*>(text), size);
    } catch (...) {
      import.failure_ = std::current_exception();
    }
  }

  static void on_row(int, void* self) noexcept {
    auto& import = *static_cast<CsvImport*>(self);
    if (import.failure_) return;
    try {
      import.end_row();
    } catch (...) {
      import.failure_ = std::current_exception();
    }
  }

  void add_field(char const* text, std::size_t size) {
    field_ended_ = true;
    if (size > max_field_bytes) refuse(field_place_, "a field of more than 1 MiB");
    if (field_count_ < fields_.size()) {
      auto& field = fields_[field_count_];
      field.absent = text == nullptr;
      field.text.assign(text == nullptr ? "" : text, size);
      field.place = field_place_;
    }
    ++field_count_;
  }

  void end_row() {
    if (header_fields_ == 0 || is_header())
      begin_table();
    else if (!is_empty())
      read_row();
    field_count_ = 0;
  }

  static Column column_of(std::string_view text) noexcept {
    // Files that `cat` has joined keep the byte order mark of each.
    auto const name = base::without_byte_order_mark(text);
    if (name.empty()) return Column::empty;
    auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
    for (std::size_t i = 0; i < column_names.size(); ++i)
      if (std::ranges::equal(name, column_names[i], {}, lower)) return static_cast<Column>(i);
    return Column::unknown;
  }

  /// True for a row of column names. A row of the table is never one, because its id is an integer.
  bool is_header() const noexcept {
    if (field_count_ > fields_.size() || column_of(fields_[0].text) == Column::empty) return false;
    return std::ranges::all_of(std::span(fields_).first(field_count_),
                               [](Field const& field) { return column_of(field.text) != Column::unknown; });
  }

  bool is_empty() const noexcept {
    return field_count_ <= fields_.size() &&
           std::ranges::all_of(std::span(fields_).first(field_count_), &Field::absent);
  }

  void begin_table() {
    auto const front = fields_[0].place;
    positions_ = {};
    named_fields_ = 0;
    for (std::size_t i = 0; i < std::min(field_count_, fields_.size()); ++i) {
      auto const column = column_of(fields_[i].text);
      if (column == Column::empty) continue;
      auto const shown = quoted(fields_[i].text);
      if (column == Column::unknown && named_fields_ == 0 && header_fields_ == 0) refuse_first_line();
      if (column == Column::unknown)
        refuse(fields_[i].place, "unknown column " + shown + "; the header line must be " + std::string(headers));
      if (named_fields_ != i) refuse(fields_[i].place, "column " + shown + " follows a column without a name");
      auto& position = positions_[static_cast<std::size_t>(column)];
      if (position) refuse(fields_[i].place, "a second column " + shown);
      position = i;
      ++named_fields_;
    }
    for (auto const column : {Column::id, Column::name})
      if (!has(column))
        refuse(front, "no column \"" + name_of(column) + "\"; the header line must be " + std::string(headers));
    if (has(Column::pattern_id) && has(Column::pattern))
      refuse(front, R"(both a column "pattern_id" and a column "pattern"; leave one of them out)");
    if (field_count_ > fields_.size())
      refuse(front, "too many columns; the header line must be " + std::string(headers));
    header_fields_ = field_count_;
    bool const deployments = has(Column::pattern) || has(Column::pattern_id);
    (deployments ? tables_.deployments : tables_.patterns) = true;
  }

  void read_row() {
    auto const place = fields_[0].place;
    bool const too_many = field_count_ > header_fields_;
    if (too_many || field_count_ < named_fields_)
      refuse(too_many ? fields_[std::min(header_fields_, kept_fields - 1)].place : place,
             std::to_string(field_count_) + (field_count_ == 1 ? " field" : " fields") + " instead of " +
                 std::to_string(named_fields_) + ", which the header line has");
    for (auto i = named_fields_; i < field_count_; ++i)
      if (!fields_[i].absent) refuse(fields_[i].place, quoted(fields_[i].text) + " in a column without a name");
    ImportRow row{.place = {source_, place.line}, .id = integer(Column::id)};
    if (has(Column::pattern)) row.pattern = text(Column::pattern);
    if (has(Column::pattern_id)) row.pattern_id = integer(Column::pattern_id);
    row.name = text(Column::name);
    rows_.add(row);
  }

  static std::string name_of(Column column) { return std::string(column_names[static_cast<std::size_t>(column)]); }
  bool has(Column column) const noexcept { return positions_[static_cast<std::size_t>(column)].has_value(); }
  Field const& field(Column column) const noexcept { return fields_[*positions_[static_cast<std::size_t>(column)]]; }

  std::int64_t integer(Column column) const {
    auto const& found = field(column).text;
    if (auto const value = decimal(found)) return *value;
    refuse(column,
           found.empty() ? "is empty, and not an integer of 64 bits" : quoted(found) + " is not an integer of 64 bits");
  }

  std::string_view text(Column column) const {
    auto const& found = field(column).text;
    if (found.find('\0') != found.npos) refuse(column, "holds U+0000, which is not stored");
    if (!base::is_utf8(found))
      refuse(column, quoted(found) +
                         " is not UTF-8; save the file as \"CSV UTF-8\", or convert it with "
                         "iconv -f WINDOWS-1252 -t UTF-8");
    return found;
  }

  [[noreturn]] void refuse(TextPlace place, std::string const& reason) const {
    throw BadRow({source_, place.line, place.column}, reason);
  }

  [[noreturn]] void refuse(Column column, std::string const& reason) const {
    refuse(field(column).place, "column " + name_of(column) + ": " + reason);
  }

  [[noreturn]] void refuse_syntax(TextPlace place) const {
    refuse(place, parser_.quoted != 0
                      ? R"(text after the closing quotation mark of a field; a quotation mark in a field is written "")"
                      : "a quotation mark in a field that is not quoted; quote the field, and write "
                        R"("" for the quotation mark)");
  }

  [[noreturn]] void refuse_first_line() const {
    auto const line = first_line_.substr(0, first_line_.find_first_of("\r\n"));
    throw BadRow({source_, place_.line, 1},
                 quoted(line) + " is neither JSON nor the header line of CSV, which must be " + std::string(headers));
  }

  ImportRows& rows_;
  std::uint32_t source_;
  ImportTables tables_;
  csv_parser parser_{};
  std::exception_ptr failure_;  // from a row: libcsv is C, and no exception may pass through it

  std::string first_line_;  // until the separator is known
  char separator_ = '\0';

  TextPlace place_;        // of the next character
  TextPlace field_place_;  // of the current field, or of the next one
  bool in_field_ = false;
  bool field_ended_ = false;  // in the current part
  bool after_cr_ = false;

  std::array<Field, kept_fields> fields_;
  std::size_t field_count_ = 0;
  std::size_t header_fields_ = 0;  // of the last header line; 0 before the first
  std::size_t named_fields_ = 0;   // of those, the ones with a name
  std::array<std::optional<std::size_t>, column_names.size()> positions_{};  // of each column in the last header line
};

}  // namespace

std::unique_ptr<ImportFormat> make_csv_import(std::uint32_t source, TextPlace begin, ImportRows& rows) {
  return std::make_unique<CsvImport>(source, begin, rows);
}

}  // namespace deployd::storage
