// Looking through the rows that other programs wrote for those that cannot be served as they are.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"

namespace deployd::storage {

/// Counts, in the tables of a SQLite store or the relations of another program on PostgreSQL, the rows whose ids are no
/// integers of 64 bits (left out of every answer), NULL as name, ids that are there more than once (pages lose rows),
/// deployments whose pattern is not there, patterns of the same name, and on SQLite names that are not UTF-8. A line
/// for each kind that is there, with an example; none when all is well. deployd's own tables on PostgreSQL have
/// constraints instead, and are not looked at.
///
/// What is not done within `patience` in all is left, which is a line as well. Throws `Error` when rows cannot be
/// read.
std::vector<std::string> check_rows(DatabaseUrl const& url, Relations const& relations,
                                    std::chrono::milliseconds patience);

}  // namespace deployd::storage
