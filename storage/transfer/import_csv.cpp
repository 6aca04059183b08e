#include "storage/transfer/import_csv.hpp"

#include <algorithm>
#include <charconv>
#include <new>
#include <system_error>
#include <utility>

#include "base/byte_order_mark.hpp"
#include "base/utf8.hpp"

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
  auto result = json_quoted(shown);
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

}  // namespace

CsvImport::CsvImport(std::uint32_t source, TextPlace begin, ImportRows& rows)
    : rows_(rows), source_(source), place_(begin), field_place_(begin) {
  // Cannot fail: it only sets the members.
  csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL);
  csv_set_space_func(&parser_, no_blank);
  csv_set_blk_size(&parser_, parser_block_bytes);
}

CsvImport::~CsvImport() {
  csv_free(&parser_);
}

void CsvImport::read(std::string_view piece) {
  if (separator_ == '\0' && !read_first_line(piece)) return;
  parse(piece);
}

void CsvImport::finish() {
  if (separator_ == '\0') find_separator();
  auto const begin = field_place_;
  bool const finished = csv_fini(&parser_, on_field, on_row, this) == 0;
  if (failure_) std::rethrow_exception(failure_);
  if (!finished) refuse(begin, "the quotation mark that opens here is not closed");
  if (header_fields_ == 0) refuse_first_line();
}

/// Collects the first line and removes it from the piece. Returns false if the line continues.
bool CsvImport::read_first_line(std::string_view& piece) {
  auto const end = std::find_if(piece.begin(), piece.end(), is_line_end);
  first_line_.append(piece.begin(), end);
  if (first_line_.size() > max_first_line_bytes) refuse_first_line();
  if (end == piece.end()) return false;
  piece.remove_prefix(static_cast<std::size_t>(end - piece.begin()));
  find_separator();
  return true;
}

void CsvImport::find_separator() {
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
void CsvImport::parse(std::string_view text) {
  while (!text.empty()) {
    auto const end =
        std::find_if(text.begin(), text.end(), [this](char c) { return c == separator_ || is_line_end(c); });
    auto const size = static_cast<std::size_t>(end - text.begin()) + (end == text.end() ? 0 : 1);
    parse_part(text.substr(0, size));
    text.remove_prefix(size);
  }
}

void CsvImport::parse_part(std::string_view part) {
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
void CsvImport::pass_over(std::string_view part) {
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

void CsvImport::on_field(void* text, std::size_t size, void* self) noexcept {
  auto& import = *static_cast<CsvImport*>(self);
  if (import.failure_) return;
  try {
    import.add_field(static_cast<char const*>(text), size);
  } catch (...) {
    import.failure_ = std::current_exception();
  }
}

void CsvImport::on_row(int, void* self) noexcept {
  auto& import = *static_cast<CsvImport*>(self);
  if (import.failure_) return;
  try {
    import.end_row();
  } catch (...) {
    import.failure_ = std::current_exception();
  }
}

void CsvImport::add_field(char const* text, std::size_t size) {
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

void CsvImport::end_row() {
  if (header_fields_ == 0 || is_header())
    begin_table();
  else if (!is_empty())
    read_row();
  field_count_ = 0;
}

CsvImport::Column CsvImport::column_of(std::string_view text) noexcept {
  // Files that `cat` has joined keep the byte order mark of each.
  auto const name = base::without_byte_order_mark(text);
  if (name.empty()) return Column::empty;
  for (auto const column : {Column::id, Column::name, Column::pattern_id, Column::pattern})
    if (std::ranges::equal(name, std::string_view(name_of(column)), {},
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }))
      return column;
  return Column::unknown;
}

char const* CsvImport::name_of(Column column) noexcept {
  switch (column) {
    case Column::id: return "id";
    case Column::name: return "name";
    case Column::pattern_id: return "pattern_id";
    case Column::pattern: return "pattern";
    default: return "";
  }
}

/// True for a row of column names. A row of the table is never one, because its id is an integer.
bool CsvImport::is_header() const noexcept {
  if (field_count_ > fields_.size() || column_of(fields_[0].text) == Column::empty) return false;
  return std::all_of(fields_.begin(), fields_.begin() + static_cast<std::ptrdiff_t>(field_count_),
                     [](Field const& field) { return column_of(field.text) != Column::unknown; });
}

bool CsvImport::is_empty() const noexcept {
  return field_count_ <= fields_.size() &&
         std::all_of(fields_.begin(), fields_.begin() + static_cast<std::ptrdiff_t>(field_count_),
                     [](Field const& field) { return field.absent; });
}

void CsvImport::begin_table() {
  auto const front = fields_[0].place;
  std::array<bool, named_columns> seen{};
  named_fields_ = 0;
  for (std::size_t i = 0; i < std::min(field_count_, fields_.size()); ++i) {
    auto const column = column_of(fields_[i].text);
    if (column == Column::empty) continue;
    auto const shown = quoted(fields_[i].text);
    if (column == Column::unknown && named_fields_ == 0 && header_fields_ == 0) refuse_first_line();
    if (column == Column::unknown)
      refuse(fields_[i].place, "unknown column " + shown + "; the header line must be " + std::string(headers));
    if (named_fields_ != i) refuse(fields_[i].place, "column " + shown + " follows a column without a name");
    if (std::exchange(seen[static_cast<std::size_t>(column)], true))
      refuse(fields_[i].place, "a second column " + shown);
    positions_[static_cast<std::size_t>(column)] = i;
    ++named_fields_;
  }
  auto const has = [&seen](Column column) { return seen[static_cast<std::size_t>(column)]; };
  for (auto const column : {Column::id, Column::name})
    if (!has(column))
      refuse(front,
             "no column \"" + std::string(name_of(column)) + "\"; the header line must be " + std::string(headers));
  if (has(Column::pattern_id) && has(Column::pattern))
    refuse(front, R"(both a column "pattern_id" and a column "pattern"; leave one of them out)");
  if (field_count_ > fields_.size()) refuse(front, "too many columns; the header line must be " + std::string(headers));
  header_fields_ = field_count_;
  by_name_ = has(Column::pattern);
  deployments_ = by_name_ || has(Column::pattern_id);
  (deployments_ ? tables_.deployments : tables_.patterns) = true;
}

void CsvImport::read_row() {
  auto const place = fields_[0].place;
  bool const too_many = field_count_ > header_fields_;
  if (too_many || field_count_ < named_fields_)
    refuse(too_many ? fields_[std::min(header_fields_, kept_fields - 1)].place : place,
           std::to_string(field_count_) + (field_count_ == 1 ? " field" : " fields") + " instead of " +
               std::to_string(named_fields_) + ", which the header line has");
  for (auto i = named_fields_; i < field_count_; ++i)
    if (!fields_[i].absent) refuse(fields_[i].place, quoted(fields_[i].text) + " in a column without a name");
  ImportRow row{.place = {source_, place.line}, .id = integer(Column::id)};
  if (by_name_)
    row.pattern = text(Column::pattern);
  else if (deployments_)
    row.pattern_id = integer(Column::pattern_id);
  row.name = text(Column::name);
  rows_.add(row);
}

CsvImport::Field const& CsvImport::field(Column column) const noexcept {
  return fields_[positions_[static_cast<std::size_t>(column)]];
}

std::int64_t CsvImport::integer(Column column) const {
  auto const& found = field(column).text;
  if (auto const value = decimal(found)) return *value;
  refuse(column,
         found.empty() ? "is empty, and not an integer of 64 bits" : quoted(found) + " is not an integer of 64 bits");
}

std::string_view CsvImport::text(Column column) const {
  auto const& found = field(column).text;
  if (found.find('\0') != found.npos) refuse(column, "holds U+0000, which is not stored");
  if (!base::is_utf8(found))
    refuse(column, quoted(found) +
                       " is not UTF-8; save the file as \"CSV UTF-8\", or convert it with "
                       "iconv -f WINDOWS-1252 -t UTF-8");
  return found;
}

void CsvImport::refuse(TextPlace place, std::string const& reason) const {
  throw BadRow({source_, place.line, place.column}, reason);
}

void CsvImport::refuse(Column column, std::string const& reason) const {
  refuse(field(column).place, "column " + std::string(name_of(column)) + ": " + reason);
}

void CsvImport::refuse_syntax(TextPlace place) const {
  refuse(place, parser_.quoted != 0
                    ? R"(text after the closing quotation mark of a field; a quotation mark in a field is written "")"
                    : "a quotation mark in a field that is not quoted; quote the field, and write "
                      R"("" for the quotation mark)");
}

void CsvImport::refuse_first_line() const {
  auto const line = first_line_.substr(0, first_line_.find_first_of("\r\n"));
  throw BadRow({source_, place_.line, 1},
               quoted(line) + " is neither JSON nor the header line of CSV, which must be " + std::string(headers));
}

}  // namespace deployd::storage
