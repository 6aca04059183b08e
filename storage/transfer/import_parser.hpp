// From the text of an import, in pieces of any size, to its rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace deployd::storage {

class ImportTarget;

/// Reads one source: a JSON object with the members `patterns` and `deployments`, or one row a line (NDJSON). Which of
/// the two it is shows in the name of the first member. Memory is bounded by the longest name that is allowed (1 MiB).
///
/// JSON is taken strictly (RFC 8259): no comments, no trailing commas, valid UTF-8. Every member of a row must be
/// there, known and single; ids are written as integers and fit 64 bits. One of `patterns` and `deployments` may be
/// missing. A byte order mark at the front is passed over, and so are blank lines. A source without a row is NDJSON.
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

 private:
  class Text;

  void pass_over_mark(std::string_view& piece);
  void read_part_of_line(std::string_view part);
  void end_line();

  std::unique_ptr<Text> text_;
  std::uint64_t line_ = 1;
  std::size_t mark_bytes_ = 0;  // of the byte order mark, as far as there is one
  bool at_front_ = true;        // nothing but a part of the mark was read
};

}  // namespace deployd::storage
