// Makes the store a copy of the rows of another server.
#pragma once

#include <string>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"
#include "storage/transfer/import_target.hpp"

namespace deployd::storage {

class RowSpool;

struct MirrorOptions {
  /// The names of the mirrored patterns; empty for all patterns and all deployments.
  std::vector<std::string> patterns = {};
  bool dry_run = false;
};

/// Makes the patterns and deployments of the store those of `rows`, in one transaction, and returns what has changed.
/// With `MirrorOptions::patterns`, rows of other patterns stay as they are, and so does a mirrored pattern whose own
/// row is not in `rows`: it only loses its deployments. If nothing differs, nothing is written. Creates or upgrades the
/// schema first, unless this is a dry run.
///
/// Throws `Error`: `bad_input` for rows that contradict each other, such as two with one id, or one of the store's
/// errors. Nothing is changed then.
ImportChanges mirror(DatabaseUrl const& url, Relations const& relations, RowSpool& rows, MirrorOptions const& options);

/// True if something was added, updated or deleted.
bool any(ImportChanges const& changes) noexcept;

}  // namespace deployd::storage
