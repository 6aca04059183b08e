#include "storage/transfer/import_row_reader.hpp"

#include <utility>

#include "storage/error.hpp"

namespace deployd::storage {
char const* RowReader::name_of(Kind kind) noexcept {
  return kind == Kind::pattern ? "pattern" : "deployment";
}

std::string RowReader::row_name() const {
  std::string name = name_of(kind_);
  if (id_) name += " " + std::to_string(*id_);
  return name;
}

std::string RowReader::last_row() const {
  if (!last_id_) return "";
  return std::string(name_of(last_kind_)) + " " + std::to_string(*last_id_);
}

bool RowReader::refuse(Code& code, std::uint64_t line, std::string reason) {
  refusal_ = Refusal{{place_.source, line}, std::move(reason)};
  code = make_error_code(errc::bad_input);
  return false;
}

bool RowReader::refuse_value(Code& code, std::string const& found) {
  switch (level_) {
    case Level::row:
      return refuse(code, row_name() + ": " + json_quoted(member_) + " is " + found + " and not " +
                              (member_ == "name" ? "a string" : "an integer of 64 bits"));
    case Level::rows: return refuse(code, "a " + row_name() + " is " + found + " and not an object");
    case Level::document:
      return refuse(code,
                    json_quoted(member_) + " is " + found + " and not " + (by_lines() ? "an object" : "an array"));
    case Level::nothing: break;
  }
  return refuse(code, found + " instead of an object");
}

bool RowReader::refuse_number(Code& code) {
  if (level_ != Level::row || member_ == "name") return refuse_value(code, "a number");
  return refuse(code, row_name() + ": " + json_quoted(member_) + " is not an integer of 64 bits");
}

void RowReader::begin_document() noexcept {
  level_ = Level::nothing;
  row_seen_ = false;
}

bool RowReader::on_object_begin(Code& code) {
  bool const row_fits = level_ == Level::rows || (level_ == Level::document && by_lines());
  if (level_ == Level::nothing)
    level_ = Level::document;
  else if (row_fits)
    begin_row();
  else
    return refuse_value(code, "an object");
  return true;
}

bool RowReader::on_object_end(std::size_t, Code& code) {
  if (level_ == Level::row) return end_row(code);
  level_ = Level::nothing;
  if (format_ == Format::unknown) return refuse(code, R"(neither "patterns" nor "deployments")");
  if (by_lines() && !row_seen_) return refuse(code, R"(neither "pattern" nor "deployment")");
  return true;
}

bool RowReader::on_array_begin(Code& code) {
  if (level_ != Level::document || by_lines()) return refuse_value(code, "an array");
  level_ = Level::rows;
  return true;
}

bool RowReader::on_array_end(std::size_t, Code&) {
  level_ = Level::document;
  return true;
}

bool RowReader::on_key_part(Text part, std::size_t, Code&) {
  key_.append(part.data(), part.size());
  return true;
}

bool RowReader::on_key(Text part, std::size_t, Code& code) {
  key_.append(part.data(), part.size());
  member_.swap(key_);
  key_.clear();
  return level_ == Level::row ? begin_row_member(code) : begin_document_member(code);
}

bool RowReader::begin_document_member(Code& code) {
  bool const patterns = member_ == "patterns";
  bool const pattern = member_ == "pattern";
  bool const of_whole = patterns || member_ == "deployments";
  bool const of_line = pattern || member_ == "deployment";
  if (format_ == Format::unknown && of_whole) format_ = Format::whole;
  if (format_ == Format::unknown && of_line) format_ = Format::lines;
  kind_ = patterns || pattern ? Kind::pattern : Kind::deployment;
  id_.reset();
  if (format_ == Format::whole && of_whole) return begin_rows_member(code, patterns);
  if (!by_lines() || !of_line) return refuse(code, "unknown member " + json_quoted(member_));
  if (std::exchange(row_seen_, true)) return refuse(code, "more than one row in a line");
  return true;
}

bool RowReader::begin_rows_member(Code& code, bool patterns) {
  if (std::exchange(patterns ? patterns_seen_ : deployments_seen_, true))
    return refuse(code, "a second " + json_quoted(member_));
  return true;
}

void RowReader::begin_row() {
  level_ = Level::row;
  row_line_ = place_.line;
  id_.reset();
  pattern_id_.reset();
  name_.clear();
  name_seen_ = false;
}

bool RowReader::begin_row_member(Code& code) {
  bool seen = false;
  if (member_ == "id")
    seen = id_.has_value();
  else if (member_ == "name")
    seen = std::exchange(name_seen_, true);
  else if (member_ == "pattern_id" && kind_ == Kind::deployment)
    seen = pattern_id_.has_value();
  else
    return refuse(code, row_name() + ": unknown member " + json_quoted(member_));
  if (seen) return refuse(code, row_name() + ": a second " + json_quoted(member_));
  return true;
}

bool RowReader::add_to_name(Code& code, Text part) {
  if (level_ != Level::row || member_ != "name") return refuse_value(code, "a string");
  name_.append(part.data(), part.size());
  return true;
}

bool RowReader::on_string_part(Text part, std::size_t, Code& code) {
  return add_to_name(code, part);
}

bool RowReader::on_string(Text part, std::size_t, Code& code) {
  if (!add_to_name(code, part)) return false;
  if (name_.find('\0') != name_.npos) return refuse(code, row_name() + ": \"name\" holds U+0000, which is not stored");
  return true;
}

bool RowReader::on_int64(std::int64_t value, Text, Code& code) {
  if (level_ != Level::row || member_ == "name") return refuse_value(code, "a number");
  (member_ == "id" ? id_ : pattern_id_) = value;
  return true;
}

bool RowReader::end_row(Code& code) {
  char const* missing = nullptr;
  if (!name_seen_) missing = "name";
  if (kind_ == Kind::deployment && !pattern_id_) missing = "pattern_id";
  if (!id_) missing = "id";
  if (missing != nullptr) return refuse(code, row_line_, row_name() + ": no " + json_quoted(missing));
  rows_.add({.place = {place_.source, row_line_}, .id = *id_, .pattern_id = pattern_id_, .name = name_});
  last_id_ = id_;
  last_kind_ = kind_;
  id_.reset();
  level_ = by_lines() ? Level::document : Level::rows;
  return true;
}

}  // namespace deployd::storage
