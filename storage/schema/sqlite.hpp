// The schema of a SQLite store.
#pragma once

#include <span>

#include "storage/database_url.hpp"
#include "storage/schema/found_schema.hpp"
#include "storage/schema/migration_report.hpp"

namespace deployd::storage {

/// Applies the missing `migrations`, creating the file if it does not exist. Throws `Error` or soci::soci_error.
MigrationReport migrate_sqlite(SqliteUrl const& url, std::span<Migration const> migrations);

/// Returns the schema in the file, which must exist. Throws `Error` or soci::soci_error.
FoundSchema find_in_sqlite(SqliteUrl const& url);

}  // namespace deployd::storage
