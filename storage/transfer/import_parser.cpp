#include "storage/transfer/import_parser.hpp"

#include <utility>

#include "base/byte_order_mark.hpp"

namespace deployd::storage {
using base::byte_order_mark;

void ImportParser::read(std::string_view piece) {
  if (!front_) return read_text(piece);
  front_->append(piece);
  // A part of the mark may be all that has come.
  if (front_->size() < byte_order_mark.size() && byte_order_mark.starts_with(*front_)) return;
  read_front();
}

void ImportParser::finish() {
  if (front_) read_front();
  if (format_) format_->finish();
}

void ImportParser::read_front() {
  auto const front = *std::exchange(front_, std::nullopt);
  read_text(base::without_byte_order_mark(front));
}

void ImportParser::read_text(std::string_view piece) {
  if (!format_) pass_over_blanks(piece);
  if (piece.empty()) return;
  bool const json = piece.front() == '{' || piece.front() == '[';
  if (!format_) format_ = json ? make_json_import(source_, place_, rows_) : make_csv_import(source_, place_, rows_);
  format_->read(piece);
}

ImportTables ImportParser::tables() const noexcept {
  return format_ ? format_->tables() : ImportTables{};
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

}  // namespace deployd::storage
