// All rows of a SQLite store.
#pragma once

#include "storage/database_url.hpp"

namespace deployd::storage {

class ExportWriter;
class LeftOutRows;

/// Gives every row of one snapshot to `writer`, but for those that it tells to `left_out`. Throws `Error` or
/// soci::soci_error, and what the writer throws.
void export_sqlite(DatabaseUrl const& url, ExportWriter& writer, LeftOutRows& left_out);

}  // namespace deployd::storage
