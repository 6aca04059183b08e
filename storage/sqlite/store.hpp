// The store in a SQLite file.
#pragma once

#include <memory>

#include "storage/database.hpp"

namespace deployd::storage {

/// Opens the store of a `sqlite:` URL. The schema must be current. Throws `Error` if the file cannot be read.
std::unique_ptr<Database> open_sqlite_database(DatabaseOptions options);

}  // namespace deployd::storage
