// Writes all patterns and deployments as JSON, NDJSON or CSV, from one snapshot, in bounded memory.
#pragma once

#include <ostream>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"
#include "storage/transfer/export_writer.hpp"

namespace deployd::storage {

/// Writes the format that `import` reads: patterns then deployments, each in ascending order of id, with the keys in
/// the order of the contract and no white space, so that an import of an export exports to the same bytes. Rows of
/// other programs that are not valid deployments or patterns are left out and logged; a name that is NULL is `null`, or
/// empty in CSV.
///
/// Throws `Error`, with `bad_input` and the row's id for a name that is not UTF-8, or std::ios_base::failure if `out`
/// cannot be written.
void export_all(DatabaseUrl const& url, Relations const& relations, ExportFormat format, ExportTables tables,
                std::ostream& out);

}  // namespace deployd::storage
