// The names of a store's tables or relations in messages.
#pragma once

#include <string>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"

namespace deployd::storage {

struct TableNames {
  std::string patterns;
  std::string deployments;
};

/// Returns names such as `deployd.db: patterns`, `deployd.patterns`, or the name of the relation as configured.
TableNames table_names(DatabaseUrl const& url, Relations const& relations);

}  // namespace deployd::storage
