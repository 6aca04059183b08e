// The steps by which the schema of the store came to be: every version that was ever released, oldest first.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace deployd::storage {

/// What brings a store from the version before to `version`. Never changed once released: a change is a new migration.
struct Migration {
  int version;
  std::vector<std::string_view> sqlite;      // one statement each
  std::vector<std::string_view> postgresql;  // one statement each, run as the owner of the schema `deployd`
};

struct NamedIndex {
  std::string_view name;
  std::string_view sql;  // what makes it
};

/// The indexes that the current schema has on `deployd.deployments` besides its primary key: a large import into an
/// empty table does without them for a while.
std::span<NamedIndex const> postgresql_indexes_of_deployments() noexcept;

/// All migrations, with the versions 1, 2, 3, ...
std::span<Migration const> migrations();

}  // namespace deployd::storage
