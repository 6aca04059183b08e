// The schema of each kind of store: what is found there, its migration, and the errors if it is not the required one.
#pragma once

#include <span>
#include <string>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"
#include "storage/schema/migrations.hpp"

namespace deployd::storage {

/// A version of deployd's schema (0: an empty store), or something else.
struct FoundSchema {
  int version = 0;
  bool somebody_elses = false;
};

/// Returns the name of the store for error messages.
std::string place(DatabaseUrl const& url);

/// Throws `Error` with `newer_schema` or `corrupt` unless `found` can be upgraded to the version `last`.
void require_upgradable(DatabaseUrl const& url, FoundSchema const& found, int last);

/// Throws `Error` with `missing`, `older_schema`, `newer_schema` or `corrupt` unless `found` is the version `current`.
void require_version(DatabaseUrl const& url, FoundSchema const& found, int current);

/// Returns the version after all of `migrations`; 0 if there are none.
int last_version(std::span<Migration const> migrations);

// All of these throw `Error` or soci::soci_error.

/// Applies the missing `migrations`, creating the file if it does not exist.
MigrationReport migrate_sqlite(SqliteUrl const& url, std::span<Migration const> migrations);

/// Returns the schema in the file, which must exist.
FoundSchema find_in_sqlite(SqliteUrl const& url);

/// Applies the missing `migrations` in the schema `deployd`.
MigrationReport migrate_postgresql(PostgresqlUrl const& url, Relations const& relations,
                                   std::span<Migration const> migrations);

/// See `require_current_schema`.
void require_postgresql(PostgresqlUrl const& url, Relations const& relations, int current);

/// See `may_have_own_tables`.
bool may_have_own_tables_in_postgresql(PostgresqlUrl const& url, Relations const& relations);

}  // namespace deployd::storage
