// Reads rows from JSON and NDJSON.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "storage/transfer/import_format.hpp"

namespace deployd::storage {

class ImportRows;

/// Reads a JSON object with the members `patterns` and `deployments`, or one row per line (NDJSON). The name of the
/// first member decides between the two.
///
/// JSON is parsed strictly (RFC 8259): no comments, no trailing commas, valid UTF-8. Every member of a row must be
/// present, known and unique; ids are written as integers and fit 64 bits. One of `patterns` and `deployments` may be
/// missing. Blank lines are skipped.
class JsonImport final : public ImportFormat {
 public:
  /// `begin` is the position at which the text begins; `rows` must outlive the object.
  JsonImport(std::uint32_t source, TextPlace begin, ImportRows& rows);
  ~JsonImport() override;

  void read(std::string_view piece) override;
  void finish() override;
  ImportTables tables() const noexcept override;

 private:
  class Text;

  void read_part_of_line(std::string_view part);
  void end_line();

  std::unique_ptr<Text> text_;
  std::uint64_t line_;
};

}  // namespace deployd::storage
