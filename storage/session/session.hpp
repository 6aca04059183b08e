// Opens SOCI sessions and translates failures of SOCI and the databases.
#pragma once

#include <soci/soci.h>

#include <chrono>
#include <memory>

#include "storage/database_url.hpp"
#include "storage/error.hpp"
#include "storage/session/access.hpp"

namespace deployd::storage {

/// Opens a session with deployd's settings. For SQLite: WAL, foreign keys and `busy` as busy timeout. For PostgreSQL:
/// `busy` as connect timeout (at least a second) and UTF-8, or unchanged bytes if the database has no encoding
/// (SQL_ASCII). Throws `Error`.
std::unique_ptr<soci::session> open_session(DatabaseUrl const& url, Access access,
                                            std::chrono::milliseconds busy = std::chrono::seconds(5));

/// Translates a SOCI exception on a session of `url` to an error with a line for the operator.
Error translate(soci::soci_error const& failure, DatabaseUrl const& url);

/// Returns the result of `ask()`, and translates its SOCI exceptions.
template <typename Ask>
auto translating(DatabaseUrl const& url, Ask const& ask) {
  try {
    return ask();
  } catch (soci::soci_error const& failure) {
    throw translate(failure, url);
  }
}

}  // namespace deployd::storage
