// Exports a SQLite store.
#pragma once

#include "storage/database_url.hpp"

namespace deployd::storage {

class ExportWriter;
class LeftOutRows;

/// Passes every row of one snapshot to `writer`, except those reported to `left_out`. Throws `Error` or
/// soci::soci_error, and exceptions of the writer.
void export_sqlite(DatabaseUrl const& url, ExportWriter& writer, LeftOutRows& left_out);

}  // namespace deployd::storage
