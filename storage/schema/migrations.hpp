// The migrations of the store's schema: every version that was ever released, oldest first.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace deployd::storage {

/// The statements that upgrade a store from the previous version to `version`. Never changed once released: a change
/// needs a new migration.
struct Migration {
  int version;
  std::vector<std::string_view> sqlite;      // one statement each
  std::vector<std::string_view> postgresql;  // one statement each, run as the owner of the schema `deployd`
};

struct MigrationReport {
  int from = 0;  // 0: the store was empty
  int to = 0;    // 0: relations of another program, and deployd may not create its own tables beside them
};

struct NamedIndex {
  std::string_view name;
  std::string_view sql;  // the statement that creates it
};

/// Returns the indexes that the current schema has on `deployd.deployments` besides its primary key. A large import
/// into an empty table drops and recreates them.
std::span<NamedIndex const> postgresql_indexes_of_deployments() noexcept;

/// Returns all migrations, with the versions 1, 2, 3, ...
std::span<Migration const> migrations();

}  // namespace deployd::storage
