// The schema of a PostgreSQL store.
#pragma once

#include <span>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"
#include "storage/schema/migration_report.hpp"
#include "storage/schema/migrations.hpp"

namespace deployd::storage {

// All of these throw `Error` or soci::soci_error.

/// Applies the missing `migrations` in the schema `deployd`.
MigrationReport migrate_postgresql(PostgresqlUrl const& url, Relations const& relations,
                                   std::span<Migration const> migrations);

/// See `require_current_schema`.
void require_postgresql(PostgresqlUrl const& url, Relations const& relations, int current);

/// See `may_have_own_tables`.
bool may_have_own_tables_in_postgresql(PostgresqlUrl const& url, Relations const& relations);

/// See `has_own_tables`.
bool has_own_tables_in_postgresql(PostgresqlUrl const& url);

}  // namespace deployd::storage
