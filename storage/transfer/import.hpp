// Loading patterns and deployments, all or nothing, in bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"
#include "storage/transfer/import_source.hpp"
#include "storage/transfer/import_target.hpp"

namespace deployd::storage {

struct ImportProgress {
  std::uint64_t patterns = 0;
  std::uint64_t deployments = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_total = 0;  // 0: not known
  /// What is being done: reading rows, building indexes, committing.
  enum class Phase { rows, indexes, commit } phase = Phase::rows;
};

/// What was read, and what that does to the store where `ImportOptions::counts_changes`.
struct ImportResult {
  ImportProgress read;
  ImportChanges changes;
};

/// Called now and then (several times a second at most matters to nobody else) from the importing thread.
using ImportObserver = std::function<void(ImportProgress const&)>;

/// Makes or upgrades the schema, then loads every source in one transaction; rows with a known id are updated, and with
/// `replace` all others deleted. Readers go on meanwhile. With `dry_run` nothing is changed: where there is no store
/// yet, the import is tried in a temporary one.
///
/// Throws `Error`: `bad_input` with a line that begins `NAME:LINE: ` or `NAME:LINE:COLUMN: ` for bad data, or `NAME: `
/// for a file that is no import at all (nothing is changed then), or one of the store's errors. Refused with
/// `bad_input` for somebody else's relations, and with `replace` where a table would be emptied that no source speaks
/// of (`ImportFormat::tables`).
ImportResult import(DatabaseUrl const& url, Relations const& relations, std::vector<ImportSource> const& sources,
                    ImportOptions const& options, ImportObserver const& observer);

}  // namespace deployd::storage
