// What an import reads.
#pragma once

#include <cstdint>
#include <istream>
#include <string>

namespace deployd::storage {

/// One input, read once from front to back. The format (JSON, NDJSON or CSV) and the compression (gzip or zstd) are
/// told from its first bytes.
struct ImportSource {
  std::string name;        // as it stands in error lines: the file's path, or "-"
  std::istream* stream;    // not owned
  std::uint64_t size = 0;  // bytes, when known; else 0
};

}  // namespace deployd::storage
