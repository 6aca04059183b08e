// All rows of a PostgreSQL store.
#pragma once

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"

namespace deployd::storage {

class ExportWriter;
class LeftOutRows;

/// Gives every row of one snapshot to `writer`, but for those that it tells to `left_out`. Throws `Error` or
/// soci::soci_error, and what the writer throws.
void export_postgresql(DatabaseUrl const& url, Relations const& relations, ExportWriter& writer, LeftOutRows& left_out);

}  // namespace deployd::storage
