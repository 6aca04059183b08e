// Names of PostgreSQL relations, checked and quoted.
#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace deployd::storage {

/// Somebody else's relations on PostgreSQL, which are only read; empty: deployd's own tables.
struct Relations {
  std::string patterns;
  std::string deployments;
  bool foreign() const noexcept { return !patterns.empty() || !deployments.empty(); }
};

/// The two relations that deployments are read from, as they may stand in SQL.
struct RelationNames {
  std::string patterns;
  std::string deployments;
  bool own;  // deployd's, with its indexes
};

/// Reads `table` or `schema.table`, either part bare (folded to lower case as PostgreSQL does) or in double quotes
/// (`""` inside stands for one), and gives it back with every part quoted.
/// Fails with `errc::bad_input` for anything else.
boost::system::result<std::string> quote_relation(std::string_view name);

/// The relations as they are named in SQL on PostgreSQL: `relations`, or deployd's own tables when there are none.
/// Throws `Error` with `bad_database_url`, naming the option, when only one is given or one is no name.
RelationNames relation_names(Relations const& relations);

}  // namespace deployd::storage
