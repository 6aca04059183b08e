// The PostgreSQL sessions of one worker, and the queries that wait for them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/overload.hpp"
#include "storage/postgresql/connector.hpp"
#include "storage/postgresql/queries.hpp"
#include "storage/postgresql/session.hpp"
#include "storage/query_metrics.hpp"

namespace deployd::storage {

/// The row of a deployment in the result of a combined look-up.
struct FoundRow {
  PostgresqlRows rows;
  std::optional<std::size_t> row;  // nothing: the deployment does not exist
};

/// Runs each query on a free session. Look-ups of deployments that are waiting at the same time are combined into one
/// query. Sessions are opened when the open ones are not enough, and replaced when they break. A query on a session
/// that broke is sent once more, since all queries only read.
///
/// Must be used on its worker's thread. The coroutines it has started on the worker's loop keep it alive.
class PostgresqlPool : public std::enable_shared_from_this<PostgresqlPool> {
 public:
  /// `connector` must outlive every awaited call. At most `sessions` sessions are open.
  PostgresqlPool(boost::asio::any_io_executor worker, PostgresqlConnector& connector, std::size_t sessions);

  PostgresqlSource const& source() const noexcept { return connector_.source(); }

  /// After this, no further session is opened or handed over by another thread.
  void close();

  // These fail with `errc::timeout` if there is no result within the timeout, waiting included, with `errc::overloaded`
  // at once if too many queries are waiting, and with the errors of `PostgresqlSession::run`.

  /// Runs a statement on a session of the pool. `statement` must live until the call has completed.
  boost::asio::awaitable<boost::system::result<PostgresqlRows>> ask(PostgresqlStatement const& statement,
                                                                    PostgresqlParameters parameters);
  boost::asio::awaitable<boost::system::result<FoundRow>> look_up(std::int64_t id);
  /// Safe to call from any thread.
  PoolMetrics const& metrics() const noexcept { return metrics_; }

  /// Opens a session for a cursor, outside of the pool.
  boost::asio::awaitable<boost::system::result<std::shared_ptr<PostgresqlSession>>> open_session();

 private:
  struct Question;
  using Questions = std::vector<std::shared_ptr<Question>>;

  std::chrono::steady_clock::time_point deadline() const noexcept {
    return std::chrono::steady_clock::now() + source().timeout;
  }
  boost::asio::awaitable<void> wait_for(std::shared_ptr<Question> question);
  void schedule_dispatch();
  void dispatch();
  Questions next_questions();
  boost::asio::awaitable<void> put(std::shared_ptr<PostgresqlSession> session, Questions questions);
  boost::asio::awaitable<boost::system::result<PostgresqlRows>> put_together(PostgresqlSession& session,
                                                                             Questions const& questions);
  void take_back(std::shared_ptr<PostgresqlSession> session);
  void open_another();
  void fail_waiting();
  bool is_too_much() noexcept;
  void publish() noexcept;

  boost::asio::any_io_executor worker_;
  std::shared_ptr<WorkerLoop> loop_;
  PostgresqlConnector& connector_;
  std::size_t const most_sessions_;
  std::size_t sessions_ = 0;                              // number of open sessions, free or not
  std::vector<std::shared_ptr<PostgresqlSession>> free_;  // the last one used comes first
  std::deque<std::shared_ptr<Question>> waiting_;
  bool opening_ = false;
  bool dispatching_ = false;
  base::Overload overload_;
  PoolMetrics metrics_;
};

}  // namespace deployd::storage
