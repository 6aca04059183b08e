// Finds privileges on PostgreSQL that a role lacks, and the statements that grant them.
#pragma once

#include <soci/soci.h>

#include <string>
#include <vector>

#include "storage/database_url.hpp"

namespace deployd::storage {

struct Privilege {
  std::string relation;  // as written in SQL
  std::string name;      // SELECT, INSERT, UPDATE
};

/// Returns the `GRANT` statements for relations and their schemas that this session's role lacks; empty if it lacks
/// none. Relations that do not exist are skipped. Throws soci::soci_error.
std::string missing_grants(soci::session& sql, std::vector<Privilege> const& needed);

/// Throws `Error` with `forbidden` and the statements that grant the missing privileges, unless the role has all of
/// these.
void require_privileges(soci::session& sql, DatabaseUrl const& url, std::vector<Privilege> const& needed);

}  // namespace deployd::storage
