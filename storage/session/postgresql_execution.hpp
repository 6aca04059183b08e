// Statements of a SOCI session of PostgreSQL, executed without blocking on the connection that SOCI keeps for it.
#pragma once

#include <soci/soci.h>

#include <span>
#include <string>

#include "storage/session/postgresql_command.hpp"

namespace deployd::storage {

/// SOCI blocks until a statement is executed, which an event loop must not do. SOCI therefore prepares the statements,
/// and this class executes them by the names that SOCI gave them, one at a time: `send`, then `flush` until it returns
/// 0, then `receive` while `busy`, then `next_result` until it returns nothing.
class PostgresqlExecution {
 public:
  /// Prepares `sql` through SOCI and returns the name of the statement, which exists as long as the session. Blocks.
  /// Throws soci::soci_error if the statement cannot be prepared.
  static std::string prepare(soci::session& session, std::string const& sql);

  /// `session` must outlive this and is not used otherwise from now on.
  explicit PostgresqlExecution(soci::session& session) noexcept;

  using Values = std::span<char const* const>;
  /// Executes the statement that `prepare` named. Returns false if it cannot be sent.
  bool send_prepared(std::string const& name, Values values) noexcept;
  /// Executes a statement that is not prepared. Returns false if it cannot be sent.
  bool send(std::string const& sql, Values values) noexcept;

  /// Returns 0 if everything is sent, 1 if the socket does not accept more yet, and -1 if the connection is lost.
  int flush() noexcept { return PQflush(connection_); }
  /// Reads what has arrived. Returns false if the connection is lost.
  bool receive() noexcept;
  /// True if `next_result` would block.
  bool busy() noexcept { return PQisBusy(connection_) != 0; }
  PostgresqlResult next_result() noexcept { return PostgresqlResult(PQgetResult(connection_)); }

  int socket() const noexcept { return PQsocket(connection_); }
  bool connected() const noexcept { return PQstatus(connection_) == CONNECTION_OK; }
  /// True outside of a transaction.
  bool idle() const noexcept { return PQtransactionStatus(connection_) == PQTRANS_IDLE; }
  /// Returns PostgreSQL's message for `result`, or for the last failure if there is no result.
  std::string message(PGresult const* result) const;

 private:
  PGconn* connection_;
};

}  // namespace deployd::storage
