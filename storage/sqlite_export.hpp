// All rows of a SQLite store.
#pragma once

#include "storage/database_url.hpp"

namespace deployd::storage {

class ExportWriter;

/// Gives every row of one snapshot to `writer`. Throws `Error` or soci::soci_error, and what the writer throws.
void export_sqlite(DatabaseUrl const& url, ExportWriter& writer);

}  // namespace deployd::storage
