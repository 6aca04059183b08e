// The formats of imports: each converts text, which arrives in pieces of any size, to rows.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "storage/store.hpp"
#include "storage/transfer/import_target.hpp"

namespace deployd::storage {

/// A position in a text.
struct TextPlace {
  std::uint64_t line = 1;
  std::uint64_t column = 1;  // in characters
};

/// True for white space between the tokens of JSON.
constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// The tables whose contents a source defines, even if they are empty.
struct ImportTables {
  bool patterns = false;
  bool deployments = false;
};

/// Reads one source in one format. Throws `BadRow`, or exceptions of the rows; the object cannot be used afterwards.
class ImportFormat {
 public:
  virtual ~ImportFormat() = default;

  virtual void read(std::string_view piece) = 0;
  /// Must be called after the last piece.
  virtual void finish() = 0;

  /// Returns the tables found so far: for JSON both, for NDJSON both after its first row, for CSV those whose header
  /// line was read.
  virtual ImportTables tables() const noexcept = 0;
};

// In these functions, `source` is the `RowPlace::source` of every row, `begin` the position at which the text begins,
// and `rows` must outlive the result.

/// Reads a JSON object with the members `patterns` and `deployments`, or one row per line (NDJSON). The name of the
/// first member decides between the two.
///
/// JSON is parsed strictly (RFC 8259): no comments, no trailing commas, valid UTF-8. Every member of a row must be
/// present, known and unique; ids are written as integers and fit 64 bits. One of `patterns` and `deployments` may be
/// missing. Blank lines are skipped.
std::unique_ptr<ImportFormat> make_json_import(std::uint32_t source, TextPlace begin, ImportRows& rows);

/// Reads a list of the API, as another server sends it: a JSON array of `{"id":1,"name":"..."}` (patterns) or
/// `{"id":1,"pattern_id":1,"name":"..."}` (deployments). Strict like an import, but members of rows that are not named
/// here are skipped, because a later version of the server may have more.
std::unique_ptr<ImportFormat> make_list_import(Table table, ImportRows& rows);

/// Reads CSV (RFC 4180) with libcsv. The first line names the columns, in any order and in upper or lower case:
/// `id,name` for patterns, `id,pattern_id,name` or `id,pattern,name` for deployments, where `pattern` is the name of a
/// pattern. Columns are separated by commas, semicolons or tabs, whichever comes first in that line. Lines end with LF,
/// CRLF or CR.
///
/// A further row of column names begins another table, so that one text can contain both tables. Empty columns after
/// the named ones and rows of empty fields are skipped, because spreadsheets write them. Blanks belong to a field.
std::unique_ptr<ImportFormat> make_csv_import(std::uint32_t source, TextPlace begin, ImportRows& rows);

}  // namespace deployd::storage
