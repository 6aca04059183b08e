// The store in a PostgreSQL database.
#pragma once

#include <memory>

#include "storage/database.hpp"

namespace deployd::storage {

/// Opens the store of a `postgresql:` URL. The schema must be current. Throws `Error`.
std::unique_ptr<Database> open_postgresql_database(DatabaseOptions options);

}  // namespace deployd::storage
