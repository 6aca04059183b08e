// The input of an import.
#pragma once

#include <cstdint>
#include <istream>
#include <string>

namespace deployd::storage {

/// One input, read once from front to back. The format (JSON, NDJSON or CSV) and the compression (gzip or zstd) are
/// recognised by its first bytes.
struct ImportSource {
  std::string name;        // as shown in error messages: the file's path, or "-"
  std::istream* stream;    // not owned
  std::uint64_t size = 0;  // in bytes, 0 if unknown
};

}  // namespace deployd::storage
