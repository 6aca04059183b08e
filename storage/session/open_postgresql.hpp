// Opens PostgreSQL sessions and translates their failures.
#pragma once

#include <soci/soci.h>

#include <chrono>
#include <memory>

#include "storage/database_url.hpp"
#include "storage/error.hpp"
#include "storage/session/access.hpp"

namespace deployd::storage {

/// Opens a session with `busy` as connect timeout (at least a second) and UTF-8, or unchanged bytes if the database has
/// no encoding (SQL_ASCII). Of several hosts it uses the primary to write, and to read as well unless the URL says
/// otherwise, as long as there is a primary. Throws `Error` or soci::soci_error.
std::unique_ptr<soci::session> open_postgresql(PostgresqlUrl const& url, Access access, std::chrono::milliseconds busy);

/// Translates a SOCI exception on a session of `url` to an error with a line for the operator.
Error translate(soci::soci_error const& failure, PostgresqlUrl const& url);

}  // namespace deployd::storage
