// Commands on the libpq connection of a SOCI session that SOCI does not offer: COPY, counts of rows.
#pragma once

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>

#include <memory>
#include <string>

namespace deployd::storage {

struct ClearResult {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using PostgresqlResult = std::unique_ptr<PGresult, ClearResult>;

/// Returns the connection inside a SOCI session of the PostgreSQL backend.
PGconn* postgresql_connection(soci::session& session) noexcept;

/// Runs one statement unchanged, without preparing it. Throws soci::soci_error if it fails.
PostgresqlResult run(soci::session& session, std::string const& sql);

/// True if there is a pooler between this session and the server: the next transaction can then run in another server
/// session.
bool behind_pooler(soci::session& session);

/// Returns the number of rows that the statement wrote.
std::int64_t rows_written(PostgresqlResult const& result) noexcept;

/// Throws the connection's last failure as soci::soci_error.
[[noreturn]] void throw_failure(PGconn* connection, PGresult const* result);

}  // namespace deployd::storage
