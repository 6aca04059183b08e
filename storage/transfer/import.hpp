// Loading patterns and deployments, all or nothing, in bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <string>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"

namespace deployd::storage {

/// One input, read once from front to back. The format (JSON or NDJSON) is told from its first bytes.
struct ImportSource {
  std::string name;        // as it stands in error lines: the file's path, or "-"
  std::istream* stream;    // not owned
  std::uint64_t size = 0;  // bytes, when known; else 0
};

struct ImportProgress {
  std::uint64_t patterns = 0;
  std::uint64_t deployments = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_total = 0;  // 0: not known
  /// What is being done: reading rows, building indexes, committing.
  enum class Phase { rows, indexes, commit } phase = Phase::rows;
};

/// Called now and then (several times a second at most matters to nobody else) from the importing thread.
using ImportObserver = std::function<void(ImportProgress const&)>;

/// Makes or upgrades the schema, then loads every source in one transaction; rows with a known id are updated.
/// Readers go on meanwhile. Throws `Error`: `bad_input` with a line that begins `NAME:LINE: ` for bad data, or `NAME: `
/// for a file that is no import at all (nothing is changed then), or one of the store's errors. Refused with
/// `bad_input` for somebody else's relations.
ImportProgress import(DatabaseUrl const& url, Relations const& relations, std::vector<ImportSource> const& sources,
                      ImportObserver const& observer);

}  // namespace deployd::storage
