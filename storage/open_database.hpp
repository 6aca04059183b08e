// Opens the store of a URL of either kind.
#pragma once

#include <memory>

#include "storage/database.hpp"

namespace deployd::storage {

/// Opens the store for serving. Never creates or changes a schema. Throws `storage::Error` with `missing`,
/// `older_schema`, `newer_schema`, `corrupt`, `forbidden`, `busy` or `unavailable` and a line for the operator.
std::unique_ptr<Database> open_database(DatabaseOptions options);

}  // namespace deployd::storage
