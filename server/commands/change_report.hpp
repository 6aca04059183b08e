// The changes of an import or a mirror, for people.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "storage/transfer/import_target.hpp"

namespace deployd::server {

/// Returns `patterns: 1 added, 0 updated, 2 unchanged, 0 deleted`.
inline std::string describe(std::string_view table, storage::RowChanges const& changes) {
  return fmt::format("{}: {} added, {} updated, {} unchanged, {} deleted", table, changes.added, changes.updated,
                     changes.unchanged, changes.deleted);
}

}  // namespace deployd::server
