#include "storage/session/postgresql_command.hpp"

#include <charconv>
#include <string_view>

namespace deployd::storage {

PGconn* postgresql_connection(soci::session& session) noexcept {
  return static_cast<soci::postgresql_session_backend*>(session.get_backend())->conn_;
}

PostgresqlResult run(soci::session& session, std::string const& sql) {
  auto* const connection = postgresql_connection(session);
  PostgresqlResult result(PQexec(connection, sql.c_str()));
  switch (PQresultStatus(result.get())) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT: return result;
    default: throw_failure(connection, result.get());
  }
}

bool behind_pooler(soci::session& session) {
  int backend = 0;
  session << "SELECT pg_backend_pid()", soci::into(backend);
  // A pooler invents the backend process id that it sends to its clients.
  return PQbackendPID(postgresql_connection(session)) != backend;
}

std::int64_t rows_written(PostgresqlResult const& result) noexcept {
  std::string_view const digits = PQcmdTuples(result.get());
  std::int64_t rows = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), rows);
  return rows;
}

void throw_failure(PGconn* connection, PGresult const* result) {
  // Without a result, for example after losing the connection, there is no SQLSTATE; this one has that meaning.
  char const* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  std::string const words = result != nullptr ? PQresultErrorMessage(result) : PQerrorMessage(connection);
  throw soci::postgresql_soci_error(words, state != nullptr ? state : "08006");
}

}  // namespace deployd::storage
