// The schema of the store: its version, and upgrades to the current one.
#pragma once

#include <span>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"
#include "storage/schema/migrations.hpp"

namespace deployd::storage {

/// Returns the schema version that this program reads and writes.
int current_schema_version() noexcept;

/// Creates the schema in an empty store (creating a SQLite file), or upgrades an older one, in one transaction. Safe to
/// run in several processes at once. Relations of another program must exist and have the required columns; a missing
/// privilege to create deployd's own tables beside them is then a warning in the log and not an error. Throws `Error`
/// with `newer_schema`, `corrupt`, `forbidden`, `busy`, `missing`, `unsuitable` or `unavailable`.
MigrationReport migrate(DatabaseUrl const& url, Relations const& relations);

/// The same with other migrations than this program's, for tests of upgrading.
MigrationReport migrate(DatabaseUrl const& url, Relations const& relations, std::span<Migration const> migrations);

/// Throws `Error` with `missing`, `older_schema`, `newer_schema`, `corrupt`, `forbidden`, `unsuitable` or `unavailable`
/// unless the store has the current schema. Creates nothing, not even the file. Relations of another program must be
/// readable, and their ids must be numbers; if deployd may not create its own tables beside them, their absence is a
/// warning in the log.
void require_current_schema(DatabaseUrl const& url, Relations const& relations);

/// True if deployd's own tables exist and the role may use them, or `migrate` can create them. False only with tables
/// of another program. After `require_current_schema` has succeeded, true means that they exist. Throws `Error` if the
/// store is unreachable.
bool may_have_own_tables(DatabaseUrl const& url, Relations const& relations);

/// Throws `Error` with `missing`, `corrupt`, `forbidden` or `unavailable` unless a SQLite store has any version of
/// deployd's schema.
void require_some_schema(SqliteUrl const& url);

}  // namespace deployd::storage
