// Privileges on PostgreSQL that a role lacks, and the statements that grant them.
#pragma once

#include <soci/soci.h>

#include <string>
#include <vector>

#include "storage/database_url.hpp"

namespace deployd::storage {

struct Privilege {
  std::string relation;  // as it may stand in SQL
  std::string name;      // SELECT, INSERT, UPDATE
};

/// The `GRANT` statements, of relations and of their schemas, that this session's role lacks; empty when it lacks none.
/// Relations that do not exist are passed over. Throws soci::soci_error.
std::string missing_grants(soci::session& sql, std::vector<Privilege> const& needed);

/// Throws `Error` with `forbidden` and the statements that mend it unless the role has all of these.
void require_privileges(soci::session& sql, DatabaseUrl const& url, std::vector<Privilege> const& needed);

}  // namespace deployd::storage
