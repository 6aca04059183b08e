#include "storage/transfer/import_parser.hpp"

#include "base/byte_order_mark.hpp"
#include "storage/transfer/import_csv.hpp"
#include "storage/transfer/import_json.hpp"

namespace deployd::storage {
using base::byte_order_mark;

ImportParser::ImportParser(std::uint32_t source, ImportRows& rows) : source_(source), rows_(rows) {}

ImportParser::~ImportParser() = default;

void ImportParser::read(std::string_view piece) {
  if (at_front_) pass_over_mark(piece);
  if (!format_) pass_over_blanks(piece);
  if (piece.empty()) return;
  if (!format_) begin(piece.front());
  format_->read(piece);
}

void ImportParser::finish() {
  if (at_front_ && mark_bytes_ % byte_order_mark.size() != 0) {
    begin(byte_order_mark.front());
    format_->read(byte_order_mark.substr(0, mark_bytes_));
  }
  if (format_) format_->finish();
}

ImportTables ImportParser::tables() const noexcept {
  return format_ ? format_->tables() : ImportTables{};
}

void ImportParser::pass_over_mark(std::string_view& piece) {
  while (!piece.empty() && mark_bytes_ < byte_order_mark.size() && piece.front() == byte_order_mark[mark_bytes_]) {
    piece.remove_prefix(1);
    ++mark_bytes_;
  }
  if (piece.empty()) return;
  at_front_ = false;
  if (mark_bytes_ % byte_order_mark.size() == 0) return;
  begin(byte_order_mark.front());
  format_->read(byte_order_mark.substr(0, mark_bytes_));
}

void ImportParser::pass_over_blanks(std::string_view& piece) {
  while (!piece.empty() && is_blank(piece.front())) {
    if (piece.front() == '\n')
      place_ = {place_.line + 1, 1};
    else
      ++place_.column;
    piece.remove_prefix(1);
  }
}

void ImportParser::begin(char first) {
  if (first == '{' || first == '[')
    format_ = std::make_unique<JsonImport>(source_, place_, rows_);
  else
    format_ = std::make_unique<CsvImport>(source_, place_, rows_);
}

}  // namespace deployd::storage
