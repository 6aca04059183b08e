// Checks that tables of other programs have the columns and types that deployd reads.
#pragma once

#include <soci/soci.h>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"

namespace deployd::storage {

/// Throws `Error` with `unsuitable`, naming table, column and type, unless the tables of a SQLite store have the
/// columns, with types that compare ids as numbers. Does not check their contents.
void require_columns(soci::session& sql, SqliteUrl const& url);

/// The same for the relations of another program on PostgreSQL. Reads no rows, but the server checks the relations and
/// this role's privileges: also throws `Error` with `missing` or `forbidden`, naming the relation.
void require_columns(soci::session& sql, DatabaseUrl const& url, Relations const& relations);

}  // namespace deployd::storage
