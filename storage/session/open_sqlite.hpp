// Opening a SQLite file, and what its failures mean.
#pragma once

#include <soci/soci.h>

#include <chrono>
#include <memory>

#include "storage/database_url.hpp"
#include "storage/error.hpp"
#include "storage/session/access.hpp"

namespace deployd::storage {

/// Opens a session with foreign keys and `busy` as busy timeout, creating the file, readable to its owner only, where
/// `access` says so. Throws `Error` for a file that cannot be used, or soci::soci_error.
std::unique_ptr<soci::session> open_sqlite(SqliteUrl const& url, Access access, std::chrono::milliseconds busy);

/// Returns what a SOCI exception on a session of `url` means, with a line for the operator.
Error translate(soci::soci_error const& failure, SqliteUrl const& url);

}  // namespace deployd::storage
