// Converts the text of an import, in pieces of any size, to rows.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/transfer/import_format.hpp"

namespace deployd::storage {

/// Reads one source. Text that begins with a brace or a bracket is JSON or NDJSON, any other is CSV. A byte order mark
/// and blanks at the beginning are skipped; a source with nothing else has no rows. Memory is limited by the maximum
/// length of a name (1 MiB).
class ImportParser {
 public:
  /// `source` is the `RowPlace::source` of every row; `rows` must outlive the parser.
  ImportParser(std::uint32_t source, ImportRows& rows) : source_(source), rows_(rows) {}

  /// Reads the next piece of the text. Throws `BadRow`, or exceptions of `rows`; the parser cannot be used afterwards.
  void read(std::string_view piece);

  /// Must be called at the end of the text. Throws the same exceptions as `read`.
  void finish();

  /// Returns the tables whose contents the source defines; none for a source without rows or format.
  ImportTables tables() const noexcept;

 private:
  void read_front();
  void read_text(std::string_view piece);
  void pass_over_blanks(std::string_view& piece);

  std::uint32_t source_;
  ImportRows& rows_;
  std::unique_ptr<ImportFormat> format_;  // null until the first character is known
  TextPlace place_;
  std::optional<std::string> front_{""};  // until it is known whether the text begins with a byte order mark
};

}  // namespace deployd::storage
