#include "storage/transfer/import_json.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>

#include "storage/transfer/import_row_reader.hpp"
#include "storage/transfer/import_target.hpp"
#include "storage/transfer/json_text.hpp"

namespace deployd::storage {
namespace {

// The depth of a valid import: a row in an array in an object. Deeper texts are refused earlier, with a better message.
constexpr std::size_t max_depth = 8;

}  // namespace

/// The JSON documents of a source: one, or one per line.
class JsonImport::Text {
 public:
  Text(std::uint32_t source, ImportRows& rows) : parser_(strict_json(max_depth), source, rows) {}

  RowReader& rows() { return parser_.handler(); }
  bool begun() const { return begun_; }

  /// Parses the next part of a document, up to the end of the part or of the document.
  void parse(std::string_view part) {
    begun_ = true;
    boost::json::error_code failure;
    std::size_t parsed = 0;
    if (!parser_.done()) parsed = parser_.write_some(true, part.data(), part.size(), failure);
    if (failure) refuse(failure);
    part.remove_prefix(parsed);
    if (!std::all_of(part.begin(), part.end(), is_blank))
      throw BadRow(rows().place(), rows().by_lines() ? "more than one JSON value in the line"
                                                     : "there is more after the end of the JSON");
  }

  void finish_line() {
    if (!parser_.done())
      throw BadRow(rows().place(),
                   "the row continues on the next line, but NDJSON has one row on each line, as `jq -c .` writes it");
    finish();
  }

  void finish() {
    boost::json::error_code failure;
    if (!parser_.done()) parser_.write_some(false, "", 0, failure);
    if (failure) refuse(failure);
  }

  void begin_next() {
    parser_.reset();
    rows().begin_document();
    begun_ = false;
  }

 private:
  [[noreturn]] void refuse(boost::json::error_code failure) {
    auto const& refusal = rows().refusal();
    auto const place = refusal ? refusal->place : rows().place();
    auto reason = refusal ? refusal->reason : describe_json_error(failure, "a name");
    // In a file with a single line, the line number says little.
    if (auto const last = rows().last_row(); !rows().by_lines() && !last.empty()) reason += " (behind " + last + ")";
    throw BadRow(place, reason);
  }

  boost::json::basic_parser<RowReader> parser_;
  bool begun_ = false;
};

JsonImport::JsonImport(std::uint32_t source, TextPlace begin, ImportRows& rows)
    : text_(std::make_unique<Text>(source, rows)), line_(begin.line) {
  text_->rows().begin_line(line_);
}

JsonImport::~JsonImport() = default;

void JsonImport::read(std::string_view piece) {
  while (!piece.empty()) {
    auto const end = piece.find('\n');
    read_part_of_line(piece.substr(0, end == piece.npos ? end : end + 1));
    if (end == piece.npos) return;
    piece.remove_prefix(end + 1);
    end_line();
  }
}

void JsonImport::read_part_of_line(std::string_view part) {
  if (!text_->begun() && std::all_of(part.begin(), part.end(), is_blank)) return;
  text_->parse(part);
}

/// Handles the end of a line. A line of NDJSON is a document. A text not yet known to be NDJSON continues: only the
/// first line of JSON may end before its first member.
void JsonImport::end_line() {
  if (text_->begun() && text_->rows().by_lines()) {
    text_->finish_line();
    text_->begin_next();
  }
  text_->rows().begin_line(++line_);
}

void JsonImport::finish() {
  if (text_->begun()) text_->finish();
}

/// The first document has a row, or the members of JSON: a text with neither is refused.
ImportTables JsonImport::tables() const noexcept {
  return {true, true};
}

}  // namespace deployd::storage
