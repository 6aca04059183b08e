// The schema of a SQLite store.
#pragma once

#include <span>

#include "storage/database_url.hpp"
#include "storage/schema/found_schema.hpp"
#include "storage/schema/migration_report.hpp"

namespace deployd::storage {

/// Applies what is missing of `migrations`, creating the file where there is none. Throws `Error` or soci::soci_error.
MigrationReport migrate_sqlite(SqliteUrl const& url, std::span<Migration const> migrations);

/// Returns what stands in the file, which must exist. Throws `Error` or soci::soci_error.
FoundSchema find_in_sqlite(SqliteUrl const& url);

}  // namespace deployd::storage
