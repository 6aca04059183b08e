// Opening SOCI sessions, and telling SOCI's and the databases' failures apart.
#pragma once

#include <soci/soci.h>

#include <chrono>
#include <memory>

#include "storage/database_url.hpp"
#include "storage/error.hpp"
#include "storage/session/access.hpp"

namespace deployd::storage {

/// Opens a session with deployd's settings: for SQLite WAL, foreign keys and `busy` as busy timeout; for PostgreSQL
/// `busy` as connect timeout (at least a second) and UTF-8, or
/// the bytes as they are where the database has no encoding (SQL_ASCII). Throws `Error`.
std::unique_ptr<soci::session> open_session(DatabaseUrl const& url, Access access,
                                            std::chrono::milliseconds busy = std::chrono::seconds(5));

/// What a SOCI exception caught on a session of `url` means, with a line for the operator.
Error translate(soci::soci_error const& failure, DatabaseUrl const& url);

}  // namespace deployd::storage
