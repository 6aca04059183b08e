#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "base/json_escape.hpp"
#include "storage/error.hpp"
#include "storage/transfer/import_format.hpp"

namespace deployd::storage {
using base::json_quoted;

namespace {

// The depth of a valid import: a row in an array in an object. Deeper texts are refused earlier, with a better message.
constexpr std::size_t max_import_depth = 8;
// In a list, deeper values can only be in members that are skipped.
constexpr std::size_t max_list_depth = 32;

enum class JsonFormat {
  unknown,  // one of the next two
  whole,    // an object with arrays of rows
  lines,    // NDJSON
  list,     // an array of rows
};

boost::json::parse_options strict_json(JsonFormat format) {
  boost::json::parse_options options;
  options.max_depth = format == JsonFormat::list ? max_list_depth : max_import_depth;
  return options;
}

/// `text` names a text in the JSON, which may have 1 MiB.
std::string describe_error(boost::system::error_code code, std::string const& text) {
  using boost::json::error;
  if (code == error::incomplete) return "the text ends in the middle of the JSON";
  if (code == error::string_too_large) return text + " of more than 1 MiB";
  return "not JSON (RFC 8259): " + code.message();
}

/// The handler of a boost::json::basic_parser, whose documentation describes the events. An event returns false if the
/// text is not a valid import; `refusal` then gives the reason. Exceptions of the target pass through.
class RowReader {
 public:
  using Code = boost::json::error_code;
  using Text = boost::json::string_view;

  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = std::size_t{1} << 20;
  static constexpr std::size_t max_key_size = 1024;

  /// `table` is that of a list.
  RowReader(JsonFormat format, Table table, std::uint32_t source, ImportRows& rows)
      : rows_(rows), place_{source, 1}, format_(format), table_(table) {}

  /// Sets the line of the following events.
  void begin_line(std::uint64_t line) noexcept { place_.line = line; }
  /// Starts the next document of the same source, in the same format.
  void begin_document() noexcept {
    level_ = Level::nothing;
    row_seen_ = false;
  }

  bool by_lines() const noexcept { return format_ == JsonFormat::lines; }
  bool is_list() const noexcept { return format_ == JsonFormat::list; }
  RowPlace place() const noexcept { return place_; }
  /// Describes the row read last; empty if there is none.
  std::string last_row() const { return last_id_ ? name_of(last_table_, last_id_) : ""; }
  /// Returns why the last event failed; nothing if the parser found the error.
  std::optional<BadRow> const& refusal() const noexcept { return refusal_; }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }

  bool on_object_begin(Code& code) {
    if (skips_) return begin_nested();
    bool const row_fits = level_ == Level::rows || (level_ == Level::document && by_lines());
    if (level_ == Level::nothing && !is_list())
      level_ = Level::document;
    else if (row_fits)
      begin_row();
    else
      return refuse_value(code, "an object");
    return true;
  }
  bool on_object_end(std::size_t, Code& code) {
    if (nested_ > 0) return end_nested();
    if (level_ == Level::row) return end_row(code);
    level_ = Level::nothing;
    if (format_ == JsonFormat::unknown) return refuse(code, R"(neither "patterns" nor "deployments")");
    if (by_lines() && !row_seen_) return refuse(code, R"(neither "pattern" nor "deployment")");
    return true;
  }

  bool on_array_begin(Code& code) {
    if (skips_) return begin_nested();
    bool const rows_fit = is_list() ? level_ == Level::nothing : level_ == Level::document && !by_lines();
    if (!rows_fit) return refuse_value(code, "an array");
    level_ = Level::rows;
    return true;
  }
  bool on_array_end(std::size_t, Code&) {
    if (nested_ > 0) return end_nested();
    level_ = is_list() ? Level::nothing : Level::document;
    return true;
  }

  bool on_key_part(Text part, std::size_t, Code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, std::size_t, Code& code) {
    key_.append(part.data(), part.size());
    if (nested_ == 0) member_.swap(key_);
    key_.clear();
    if (nested_ > 0) return true;
    return level_ == Level::row ? begin_row_member(code) : begin_document_member(code);
  }

  bool on_string_part(Text part, std::size_t, Code& code) {
    if (skips_ || level_ != Level::row || member_ != "name") return refuse_value(code, "a string");
    name_.append(part.data(), part.size());
    return true;
  }
  bool on_string(Text part, std::size_t size, Code& code) {
    if (!on_string_part(part, size, code)) return false;
    if (name_.find('\0') == name_.npos) return true;
    return refuse(code, row_name() + ": \"name\" holds U+0000, which is not stored");
  }

  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t value, Text, Code& code) {
    if (skips_ || level_ != Level::row || member_ == "name") return refuse_value(code, "a number");
    (member_ == "id" ? id_ : pattern_id_) = value;
    return true;
  }
  bool on_uint64(std::uint64_t, Text, Code& code) { return refuse_number(code); }
  bool on_double(double, Text, Code& code) { return refuse_number(code); }
  bool on_bool(bool, Code& code) { return refuse_value(code, "a truth value"); }
  bool on_null(Code& code) { return refuse_value(code, "null"); }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

 private:
  /// The nesting level of the parser.
  enum class Level {
    nothing,   // before or after a document
    document,  // in its object
    rows,      // in an array of rows
    row,       // in the object of a pattern or a deployment
  };

  static std::string name_of(Table table, std::optional<std::int64_t> id) {
    std::string const kind = table == Table::patterns ? "pattern" : "deployment";
    return id ? kind + " " + std::to_string(*id) : "a " + kind;
  }
  std::string row_name() const { return name_of(table_, id_); }

  bool begin_nested() noexcept {
    ++nested_;
    return true;
  }
  bool end_nested() noexcept {
    --nested_;
    return true;
  }

  bool begin_document_member(Code& code) {
    bool const of_whole = member_ == "patterns" || member_ == "deployments";
    bool const of_line = member_ == "pattern" || member_ == "deployment";
    if (format_ == JsonFormat::unknown && of_whole) format_ = JsonFormat::whole;
    if (format_ == JsonFormat::unknown && of_line) format_ = JsonFormat::lines;
    table_ = member_.starts_with("pattern") ? Table::patterns : Table::deployments;
    if (!(format_ == JsonFormat::whole && of_whole) && !(by_lines() && of_line))
      return refuse(code, "unknown member " + json_quoted(member_));
    if (by_lines()) return !std::exchange(row_seen_, true) || refuse(code, "more than one row in a line");
    auto& seen = table_ == Table::patterns ? patterns_seen_ : deployments_seen_;
    return !std::exchange(seen, true) || refuse(code, "a second " + json_quoted(member_));
  }

  void begin_row() {
    level_ = Level::row;
    row_line_ = place_.line;
    pattern_id_.reset();
    name_.clear();
    name_seen_ = false;
  }

  bool begin_row_member(Code& code) {
    bool seen = false;
    skips_ = false;
    if (member_ == "id")
      seen = id_.has_value();
    else if (member_ == "name")
      seen = std::exchange(name_seen_, true);
    else if (member_ == "pattern_id" && table_ == Table::deployments)
      seen = pattern_id_.has_value();
    else if (is_list())
      skips_ = true;
    else
      return refuse(code, row_name() + ": unknown member " + json_quoted(member_));
    return !seen || refuse(code, row_name() + ": a second " + json_quoted(member_));
  }

  bool end_row(Code& code) {
    char const* missing = nullptr;
    if (!name_seen_) missing = "name";
    if (table_ == Table::deployments && !pattern_id_) missing = "pattern_id";
    if (!id_) missing = "id";
    if (missing != nullptr) {
      place_.line = row_line_;
      return refuse(code, row_name() + ": no " + json_quoted(missing));
    }
    rows_.add({.place = {place_.source, row_line_}, .id = *id_, .pattern_id = pattern_id_, .name = name_});
    last_table_ = table_;
    last_id_ = std::exchange(id_, std::nullopt);
    skips_ = false;
    level_ = by_lines() ? Level::document : Level::rows;
    return true;
  }

  bool refuse(Code& code, std::string const& reason) {
    refusal_.emplace(place_, reason);
    code = make_error_code(errc::bad_input);
    return false;
  }

  /// Refuses a value of the wrong type, unless its member is skipped; `found` names the type.
  bool refuse_value(Code& code, std::string const& found) {
    if (skips_) return true;
    switch (level_) {
      case Level::row:
        return refuse(code, row_name() + ": " + json_quoted(member_) + " is " + found + " and not " +
                                (member_ == "name" ? "a string" : "an integer of 64 bits"));
      case Level::rows: return refuse(code, row_name() + " is " + found + " and not an object");
      case Level::document:
        return refuse(code,
                      json_quoted(member_) + " is " + found + " and not " + (by_lines() ? "an object" : "an array"));
      case Level::nothing: break;
    }
    if (!is_list()) return refuse(code, found + " instead of an object");
    return refuse(code, found + " instead of an array of " + (table_ == Table::patterns ? "patterns" : "deployments"));
  }

  bool refuse_number(Code& code) {
    if (skips_ || level_ != Level::row || member_ == "name") return refuse_value(code, "a number");
    return refuse(code, row_name() + ": " + json_quoted(member_) + " is not an integer of 64 bits");
  }

  ImportRows& rows_;
  RowPlace place_;
  JsonFormat format_;
  Level level_ = Level::nothing;
  bool patterns_seen_ = false;
  bool deployments_seen_ = false;
  bool row_seen_ = false;  // in this line of NDJSON
  std::string member_;     // the name of the member whose value is being read
  std::string key_;        // the name of a member, as far as it has been read

  Table table_;
  std::uint64_t row_line_ = 0;
  std::optional<std::int64_t> id_;
  std::optional<std::int64_t> pattern_id_;
  std::string name_;
  bool name_seen_ = false;
  bool skips_ = false;      // in the value of a member that does not matter
  std::size_t nested_ = 0;  // the arrays and objects in that value

  std::optional<std::int64_t> last_id_;
  Table last_table_ = Table::patterns;
  std::optional<BadRow> refusal_;
};

/// One JSON document, or one per line.
class JsonImport final : public ImportFormat {
 public:
  JsonImport(JsonFormat format, Table table, std::uint32_t source, TextPlace begin, ImportRows& rows)
      : parser_(strict_json(format), format, table, source, rows), line_(begin.line) {
    reader().begin_line(line_);
  }

  void read(std::string_view piece) override {
    while (!piece.empty()) {
      auto const end = piece.find('\n');
      auto const part = piece.substr(0, end == piece.npos ? end : end + 1);
      if (begun_ || !std::ranges::all_of(part, is_blank)) parse(part);
      if (end == piece.npos) return;
      piece.remove_prefix(end + 1);
      end_line();
    }
  }

  void finish() override {
    if (begun_ || reader().is_list()) finish_document();
  }

  /// The first document has a row, or the members of JSON: a text with neither is refused.
  ImportTables tables() const noexcept override { return {true, true}; }

 private:
  RowReader& reader() noexcept { return parser_.handler(); }

  /// Parses the next part of a document, up to the end of the part or of the document.
  void parse(std::string_view part) {
    begun_ = true;
    boost::json::error_code failure;
    std::size_t parsed = 0;
    if (!parser_.done()) parsed = parser_.write_some(true, part.data(), part.size(), failure);
    if (failure) refuse(failure);
    if (!std::ranges::all_of(part.substr(parsed), is_blank))
      throw BadRow(reader().place(), reader().by_lines() ? "more than one JSON value in the line"
                                                         : "there is more after the end of the JSON");
  }

  /// Handles the end of a line. A line of NDJSON is a document. A text not yet known to be NDJSON continues: only the
  /// first line of JSON may end before its first member.
  void end_line() {
    if (begun_ && reader().by_lines()) {
      if (!parser_.done())
        throw BadRow(reader().place(),
                     "the row continues on the next line, but NDJSON has one row on each line, as `jq -c .` writes it");
      parser_.reset();
      reader().begin_document();
      begun_ = false;
    }
    reader().begin_line(++line_);
  }

  void finish_document() {
    boost::json::error_code failure;
    if (!parser_.done()) parser_.write_some(false, "", 0, failure);
    if (failure) refuse(failure);
  }

  [[noreturn]] void refuse(boost::json::error_code failure) {
    auto const* const text = reader().is_list() ? "a text" : "a name";
    auto const bad = reader().refusal().value_or(BadRow(reader().place(), describe_error(failure, text)));
    // In a file with a single line, the line number says little.
    if (reader().by_lines() || reader().last_row().empty()) throw bad;
    throw BadRow(bad.place(), bad.what() + (" (behind " + reader().last_row() + ")"));
  }

  boost::json::basic_parser<RowReader> parser_;
  std::uint64_t line_;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<ImportFormat> make_json_import(std::uint32_t source, TextPlace begin, ImportRows& rows) {
  return std::make_unique<JsonImport>(JsonFormat::unknown, Table::patterns, source, begin, rows);
}

std::unique_ptr<ImportFormat> make_list_import(Table table, ImportRows& rows) {
  return std::make_unique<JsonImport>(JsonFormat::list, table, 0, TextPlace{}, rows);
}

}  // namespace deployd::storage
