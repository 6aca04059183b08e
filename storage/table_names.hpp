// What the tables or relations of a store are called in messages.
#pragma once

#include <string>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"

namespace deployd::storage {

struct TableNames {
  std::string patterns;
  std::string deployments;
};

/// `deployd.db: patterns`, `deployd.patterns`, or the name of the relation as it was given.
TableNames table_names(DatabaseUrl const& url, Relations const& relations);

}  // namespace deployd::storage
