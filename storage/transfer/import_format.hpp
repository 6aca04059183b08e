// The interface of import formats: each converts text, which arrives in pieces, to rows.
#pragma once

#include <cstdint>
#include <string_view>

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

/// Reads one source in one format. Throws `BadRow`, or exceptions of the target; the object cannot be used afterwards.
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

}  // namespace deployd::storage
