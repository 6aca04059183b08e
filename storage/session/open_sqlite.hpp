// Opens SQLite files and translates their failures.
#pragma once

#include <soci/soci.h>

#include <chrono>
#include <memory>

#include "storage/database_url.hpp"
#include "storage/error.hpp"
#include "storage/session/access.hpp"

namespace deployd::storage {

/// Opens a session with foreign keys and `busy` as busy timeout. Creates the file, readable by its owner only, if
/// `access` says so. Throws `Error` for a file that cannot be used, or soci::soci_error.
std::unique_ptr<soci::session> open_sqlite(SqliteUrl const& url, Access access, std::chrono::milliseconds busy);

/// Throws `Error` if no store can be created at `url`, or an empty file there cannot be written. Changes nothing.
void require_creatable(SqliteUrl const& url);

/// Translates a SOCI exception on a session of `url` to an error with a line for the operator.
Error translate(soci::soci_error const& failure, SqliteUrl const& url);

}  // namespace deployd::storage
