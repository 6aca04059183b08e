#include "storage/session/postgresql_execution.hpp"

#include <utility>

namespace deployd::storage {

std::string PostgresqlExecution::prepare(soci::session& session, std::string const& sql) {
  // `session.prepare << sql` would leak if the statement cannot be prepared.
  soci::statement statement(session);
  statement.alloc();
  statement.prepare(sql);
  // SOCI deallocates a statement that has a name, and waits for a server that may no longer answer. The server
  // deallocates it when the session ends.
  return std::exchange(static_cast<soci::postgresql_statement_backend*>(statement.get_backend())->statementName_, {});
}

PostgresqlExecution::PostgresqlExecution(soci::session& session) noexcept
    : connection_(postgresql_connection(session)) {
  // So that closing does not block either.
  PQsetnonblocking(connection_, 1);
}

bool PostgresqlExecution::send_prepared(std::string const& name, Values values) noexcept {
  auto const count = static_cast<int>(values.size());
  return PQsendQueryPrepared(connection_, name.c_str(), count, values.data(), nullptr, nullptr, 0) != 0;
}

bool PostgresqlExecution::send(std::string const& sql, Values values) noexcept {
  auto const count = static_cast<int>(values.size());
  return PQsendQueryParams(connection_, sql.c_str(), count, nullptr, values.data(), nullptr, nullptr, 0) != 0;
}

bool PostgresqlExecution::receive() noexcept {
  // A TLS record may be larger (16 KiB) than libpq's buffer (at least 8 KiB), and a socket does not become readable for
  // data that OpenSSL has already read.
  for (int left = PQsslInUse(connection_) != 0 ? 3 : 1; left > 0; --left)
    if (PQconsumeInput(connection_) == 0) return false;
  return true;
}

std::string PostgresqlExecution::message(PGresult const* result) const {
  auto const* const message = result == nullptr ? PQerrorMessage(connection_) : PQresultErrorMessage(result);
  return message == nullptr ? "" : message;
}

}  // namespace deployd::storage
