// One PostgreSQL session on the event loop of a worker.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <memory>
#include <string>

#include "storage/postgresql/connector.hpp"
#include "storage/postgresql/queries.hpp"
#include "storage/session/postgresql_execution.hpp"

namespace deployd::storage {

/// Runs one statement at a time, without ever blocking. Must be used on its worker's thread; opened on another one,
/// since that blocks.
class PostgresqlSession : public std::enable_shared_from_this<PostgresqlSession> {
 public:
  PostgresqlSession(boost::asio::any_io_executor worker, OpenedPostgresql opened, PostgresqlSource const& source);
  ~PostgresqlSession();

  /// False if it must be replaced: it broke, it belongs to the wrong host and has been used long enough, or there is
  /// another primary now.
  bool usable() const noexcept;

  /// PostgreSQL's message for the last failure, in one line.
  std::string const& message() const noexcept { return message_; }

  /// Returns the rows of `statement`. Fails with `errc::timeout` if they do not arrive within the source's timeout,
  /// whether the server is busy, frozen or lost, and with `errc::unavailable` or `corrupt`; check `usable` then.
  boost::asio::awaitable<boost::system::result<PostgresqlRows>> run(PostgresqlStatement const& statement,
                                                                    PostgresqlParameters const& parameters);

 private:
  bool primary_moved() const noexcept;
  boost::asio::awaitable<boost::system::result<PostgresqlRows>> result_of(bool sent);
  boost::asio::awaitable<boost::system::error_code> prove_fresh();
  boost::asio::awaitable<bool> wait(boost::asio::posix::stream_descriptor::wait_type direction);
  boost::asio::awaitable<boost::system::error_code> flush();
  bool send(PostgresqlStatement const& statement, PostgresqlParameters const& parameters);
  boost::system::error_code fail(PGresult const* result);
  boost::system::error_code fail_overdue();

  PostgresqlSource const& source_;
  OpenedPostgresql opened_;
  PostgresqlExecution execution_;
  std::chrono::steady_clock::time_point next_proof_;
  boost::asio::posix::stream_descriptor socket_;  // owned by libpq: released and never closed
  boost::asio::steady_timer timer_;
  std::string message_;
  std::chrono::steady_clock::time_point deadline_;  // of the statement
  bool broken_ = false;
};

}  // namespace deployd::storage
