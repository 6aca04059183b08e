// The columns of tables that other programs made: whether they can hold what deployd reads from them.
#pragma once

#include <soci/soci.h>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"

namespace deployd::storage {

/// Throws `Error` with `unsuitable`, naming table, column and type, unless the tables of a SQLite store have the
/// columns, with types by which ids are compared as numbers. What is in them is not looked at.
void require_columns(soci::session& sql, SqliteUrl const& url);

/// The same for the relations of another program on PostgreSQL. Reads no row, but has the server look at the
/// relations and this role's privileges: throws `Error` with `missing` or `forbidden` as well, naming the relation.
void require_columns(soci::session& sql, DatabaseUrl const& url, Relations const& relations);

}  // namespace deployd::storage
