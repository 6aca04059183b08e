// Loading patterns and deployments, all or nothing, in bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"
#include "storage/transfer/import_source.hpp"

namespace deployd::storage {

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
/// Readers go on meanwhile. Throws `Error`: `bad_input` with a line that begins `NAME:LINE: ` or `NAME:LINE:COLUMN: `
/// for bad data, or `NAME: ` for a file that is no import at all (nothing is changed then), or one of the store's
/// errors. Refused with `bad_input` for somebody else's relations.
ImportProgress import(DatabaseUrl const& url, Relations const& relations, std::vector<ImportSource> const& sources,
                      ImportObserver const& observer);

}  // namespace deployd::storage
