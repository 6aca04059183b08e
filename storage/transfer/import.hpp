// Imports patterns and deployments, all or nothing, in bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"
#include "storage/transfer/import_input.hpp"
#include "storage/transfer/import_target.hpp"

namespace deployd::storage {

struct ImportProgress {
  std::uint64_t patterns = 0;
  std::uint64_t deployments = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_total = 0;  // 0 if unknown
  /// The current step: reading rows, building indexes, committing.
  enum class Phase { rows, indexes, commit } phase = Phase::rows;
};

/// The number of rows read, and the changes of the store.
struct ImportResult {
  ImportProgress read;
  ImportChanges changes;
};

/// Called after each piece of the input and at the beginning of each step, on the importing thread. Must not be empty.
using ImportObserver = std::function<void(ImportProgress const&)>;

/// Creates or upgrades the schema, then imports every source in one transaction; rows with a known id are updated, and
/// with `replace` all others are deleted. Readers are not blocked. With `dry_run` nothing is changed: if there is no
/// store yet, the import runs in a temporary one.
///
/// Throws `Error`: `bad_input` with a line that begins `NAME:LINE: ` or `NAME:LINE:COLUMN: ` for bad data, or `NAME: `
/// for a file that is not an import (nothing is changed then), or one of the store's errors. Fails with `bad_input` for
/// relations of another program, and with `replace` if that would empty a table which no source defines
/// (`ImportFormat::tables`).
ImportResult import(DatabaseUrl const& url, Relations const& relations, std::vector<ImportSource> const& sources,
                    ImportOptions const& options, ImportObserver const& observer);

}  // namespace deployd::storage
