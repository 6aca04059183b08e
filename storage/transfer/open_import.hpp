// Opens a store for the transaction of an import.
#pragma once

#include <memory>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"
#include "storage/transfer/import_target.hpp"

namespace deployd::storage {

class TemporaryStore;

/// An import that has begun. In a dry run without a store it has a temporary one, which ends with it.
struct OpenImport {
  std::shared_ptr<TemporaryStore const> temporary;
  std::unique_ptr<ImportTarget> target;  // destroyed first
};

/// Throws `Error` with `bad_input` for relations of another program, to which deployd writes nothing.
void require_own_tables(Relations const& relations);

/// Creates or upgrades the schema, unless this is a dry run, and begins the transaction. Throws `Error` or
/// soci::soci_error.
OpenImport open_import(DatabaseUrl const& url, Relations const& relations, ImportOptions const& options);

}  // namespace deployd::storage
