// Validates and quotes names of PostgreSQL relations.
#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <string_view>

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

/// Returns the names of the relations for SQL on PostgreSQL: `relations`, or deployd's own tables if they are empty.
/// Throws `Error` with `bad_database_url`, naming the option, if only one is given or one is not a valid name.
RelationNames relation_names(Relations const& relations);

}  // namespace deployd::storage
