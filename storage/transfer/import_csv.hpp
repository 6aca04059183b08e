// Reads rows from CSV.
#pragma once

#include <csv.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "storage/transfer/import_format.hpp"
#include "storage/transfer/import_target.hpp"

namespace deployd::storage {

/// Reads CSV (RFC 4180) with libcsv. The first line names the columns, in any order and in upper or lower case:
/// `id,name` for patterns, `id,pattern_id,name` or `id,pattern,name` for deployments, where `pattern` is the name of a
/// pattern. Columns are separated by commas, semicolons or tabs, whichever comes first in that line. Lines end with LF,
/// CRLF or CR.
///
/// A further row of column names begins another table, so that one text can contain both tables. Empty columns after
/// the named ones and rows of empty fields are skipped, because spreadsheets write them. Blanks belong to a field.
class CsvImport final : public ImportFormat {
 public:
  /// `begin` is the position at which the text begins; `rows` must outlive the object.
  CsvImport(std::uint32_t source, TextPlace begin, ImportRows& rows);
  ~CsvImport() override;
  CsvImport(CsvImport const&) = delete;
  CsvImport& operator=(CsvImport const&) = delete;

  void read(std::string_view piece) override;
  void finish() override;
  ImportTables tables() const noexcept override { return tables_; }

 private:
  enum class Column : std::uint8_t { id, name, pattern_id, pattern, empty, unknown };
  static constexpr std::size_t named_columns = 4;

  /// A field of the current row.
  struct Field {
    std::string text;
    TextPlace place;
    bool absent = false;  // empty and not quoted
  };
  // Only the number of the fields after these matters.
  static constexpr std::size_t kept_fields = 16;

  static Column column_of(std::string_view text) noexcept;
  static char const* name_of(Column column) noexcept;
  static void on_field(void* text, std::size_t size, void* self) noexcept;
  static void on_row(int end, void* self) noexcept;

  bool read_first_line(std::string_view& piece);
  void find_separator();
  void parse(std::string_view text);
  void parse_part(std::string_view part);
  void pass_over(std::string_view part);
  void add_field(char const* text, std::size_t size);
  void end_row();
  bool is_header() const noexcept;
  bool is_empty() const noexcept;
  void begin_table();
  void read_row();
  Field const& field(Column column) const noexcept;
  std::int64_t integer(Column column) const;
  std::string_view text(Column column) const;

  [[noreturn]] void refuse(TextPlace place, std::string const& reason) const;
  [[noreturn]] void refuse(Column column, std::string const& reason) const;
  [[noreturn]] void refuse_syntax(TextPlace place) const;
  [[noreturn]] void refuse_first_line() const;

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
  std::size_t header_fields_ = 0;                       // of the last header line; 0 before the first
  std::size_t named_fields_ = 0;                        // of those, the ones with a name
  std::array<std::size_t, named_columns> positions_{};  // of each column, indexed by its value
  bool by_name_ = false;                                // the header has `pattern`
  bool deployments_ = false;                            // the header is that of deployments
};

}  // namespace deployd::storage
