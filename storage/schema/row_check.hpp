// Checks rows written by other programs for ones that cannot be served.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"

namespace deployd::storage {

/// Counts problems in the tables of a SQLite store or the relations of another program on PostgreSQL: rows whose ids
/// are not 64-bit integers (left out of every response), NULL as name, ids that occur more than once (pages lose rows),
/// deployments whose pattern does not exist, patterns with the same name, and on SQLite names that are not UTF-8.
/// Returns one line for each kind found, with an example; none if all is well. deployd's own tables on PostgreSQL have
/// constraints instead and are not checked.
///
/// Checks that do not complete within `patience` in total are skipped, which is reported in a line as well. Throws
/// `Error` if rows cannot be read.
std::vector<std::string> check_rows(DatabaseUrl const& url, Relations const& relations,
                                    std::chrono::milliseconds patience);

}  // namespace deployd::storage
