// From the text of an import, in pieces of any size, to its rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "storage/transfer/import_format.hpp"

namespace deployd::storage {

class ImportTarget;

/// Reads one source. Text that begins with a brace or a bracket is JSON or NDJSON (`JsonImport`), any other is CSV
/// (`CsvImport`). A byte order mark and blanks at the front are passed over; a source of nothing else has no rows.
/// Memory is bounded by the longest name that is allowed (1 MiB).
class ImportParser {
 public:
  /// `source` is what `RowPlace` says of every row; `rows` must outlive the parser.
  ImportParser(std::uint32_t source, ImportTarget& rows);
  ~ImportParser();
  ImportParser(ImportParser const&) = delete;
  ImportParser& operator=(ImportParser const&) = delete;

  /// Takes the next piece of the text. Throws `BadRow`, or what `rows` throws; the parser is of no use then.
  void read(std::string_view piece);

  /// Says that the text is over. Throws as `read` does.
  void finish();

  /// The tables of which the source says what they hold; none for a source without rows in no format.
  ImportTables tables() const noexcept;

 private:
  void pass_over_mark(std::string_view& piece);
  void pass_over_blanks(std::string_view& piece);
  void begin(char first);

  std::uint32_t source_;
  ImportTarget& rows_;
  std::unique_ptr<ImportFormat> format_;  // null until the first character is known
  TextPlace place_;
  std::size_t mark_bytes_ = 0;  // of the byte order mark, as far as there is one
  bool at_front_ = true;        // nothing but a part of the mark was read
};

}  // namespace deployd::storage
