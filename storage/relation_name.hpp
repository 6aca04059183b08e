// The names of a store's tables, and the PostgreSQL relations of another program that replace them.
#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <string_view>

#include "storage/database_url.hpp"

namespace deployd::storage {

/// Relations of another program on PostgreSQL, which are only read; empty for deployd's own tables.
struct Relations {
  std::string patterns;
  std::string deployments;
  bool foreign() const noexcept { return !patterns.empty() || !deployments.empty(); }
};

/// The two relations that contain deployments and patterns, in the form for SQL.
struct RelationNames {
  std::string patterns;
  std::string deployments;
  bool own;  // deployd's own, with their indexes
};

/// Parses `table` or `schema.table`, either part bare (folded to lower case as in PostgreSQL) or in double quotes (`""`
/// inside stands for one). Returns it with every part quoted. Fails with `errc::bad_input` for anything else.
boost::system::result<std::string> quote_relation(std::string_view name);

/// Returns the names of the relations for SQL on PostgreSQL: `relations`, which must be valid names, or deployd's own
/// tables if they are empty.
RelationNames relation_names(Relations const& relations);

/// Returns a condition that is true for 64-bit integers in a column of another program, whether the column is an
/// integer or numeric; false or NULL otherwise. It raises no error whatever the column contains (NaN and infinity
/// included).
std::string is_whole_number(std::string const& column);

/// The names of the tables or relations in messages.
struct TableNames {
  std::string patterns;
  std::string deployments;
};

/// Returns names such as `deployd.db: patterns`, `deployd.patterns`, or the name of the relation as configured.
TableNames table_names(DatabaseUrl const& url, Relations const& relations);

}  // namespace deployd::storage
