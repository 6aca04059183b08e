// What every format of an import has to do: make rows of a text that comes in pieces.
#pragma once

#include <cstdint>
#include <string_view>

namespace deployd::storage {

/// Where a text is at.
struct TextPlace {
  std::uint64_t line = 1;
  std::uint64_t column = 1;  // in characters
};

/// The tables of which a source says what they hold, be it nothing.
struct ImportTables {
  bool patterns = false;
  bool deployments = false;
};

/// Reads one source in one format. Throws `BadRow`, or what the target of the rows throws; the object is of no use
/// then.
class ImportFormat {
 public:
  virtual ~ImportFormat() = default;

  virtual void read(std::string_view piece) = 0;
  /// After the last piece.
  virtual void finish() = 0;

  /// What was read so far. JSON speaks of both tables, NDJSON too as soon as it has a row, CSV of those whose header
  /// line it has.
  virtual ImportTables tables() const noexcept = 0;
};

}  // namespace deployd::storage
