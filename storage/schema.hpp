// The schema of the store: its version, and how an older one becomes the current one.
#pragma once

#include "storage/database_url.hpp"

#include <string>

namespace deployd::storage {

/// Somebody else's relations on PostgreSQL, which are only read; empty: deployd's own tables.
struct Relations {
  std::string patterns;
  std::string deployments;
  bool foreign() const noexcept { return !patterns.empty() || !deployments.empty(); }
};

struct MigrationReport {
  int from = 0;  // 0: the store was empty
  int to = 0;
};

/// The schema version that this program reads and writes.
int current_schema_version() noexcept;

/// Makes the schema in an empty store (creating a SQLite file), or upgrades an older one, in one transaction.
/// Throws `Error` with `newer_schema`, `corrupt`, `forbidden`, `busy` or `unavailable`.
MigrationReport migrate(DatabaseUrl const& url, Relations const& relations);

/// Throws `Error` with `missing`, `older_schema`, `newer_schema`, `corrupt`, `forbidden` or `unavailable` unless the
/// store has the current schema. Creates nothing, not even the file.
void require_current_schema(DatabaseUrl const& url, Relations const& relations);

}  // namespace deployd::storage
