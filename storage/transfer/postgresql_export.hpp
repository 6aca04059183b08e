// Exports a PostgreSQL store.
#pragma once

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"

namespace deployd::storage {

class ExportWriter;
class LeftOutRows;

/// Passes every row of one snapshot to `writer`, except those reported to `left_out`. Throws `Error` or
/// soci::soci_error, and exceptions of the writer.
void export_postgresql(DatabaseUrl const& url, Relations const& relations, ExportWriter& writer, LeftOutRows& left_out);

}  // namespace deployd::storage
