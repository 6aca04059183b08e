// The PostgreSQL sessions of one worker, and the questions that wait for them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/overload.hpp"
#include "storage/pool_metrics.hpp"
#include "storage/postgresql/connector.hpp"
#include "storage/postgresql/queries.hpp"
#include "storage/postgresql/session.hpp"

namespace deployd::storage {

/// Where a deployment stands among the rows that a look-up shares with others.
struct FoundRow {
  PostgresqlRows rows;
  std::optional<std::size_t> row;  // nothing: there is no such deployment
};

/// Gives each question to a session that is free. Look-ups of deployments that are there at the same time are put to
/// the server as one. Sessions are opened when there is more to do than those that are there can take, and replaced
/// when they break; a question that was on one that broke is put once more, since all questions only read.
///
/// Of its worker's thread. What it has spawned on the worker's loop keeps it alive.
class PostgresqlPool : public std::enable_shared_from_this<PostgresqlPool> {
 public:
  /// `connector` and `queries` must outlive every awaited call. At most `sessions` are open.
  PostgresqlPool(boost::asio::any_io_executor worker, PostgresqlConnector& connector, PostgresqlQueries const& queries,
                 std::size_t sessions);

  /// No further session is opened, and none is handed over by another thread after this.
  void close();

  // These fail with `errc::timeout` when there is no answer within the timeout, waiting included, with
  // `errc::overloaded` at once when too many wait, and as `PostgresqlSession::run` does.

  /// Runs a statement on a session of the pool. `statement` must live until this is done.
  boost::asio::awaitable<boost::system::result<PostgresqlRows>> ask(PostgresqlStatement const& statement,
                                                                    PostgresqlParameters parameters);
  boost::asio::awaitable<boost::system::result<FoundRow>> look_up(std::int64_t id);
  /// Any thread.
  PoolMetrics const& metrics() const noexcept { return metrics_; }

  /// A session that is not of the pool.
  boost::asio::awaitable<boost::system::result<std::shared_ptr<PostgresqlSession>>> open_session();

 private:
  struct Question;
  struct Opening;
  using Questions = std::vector<std::shared_ptr<Question>>;

  boost::asio::awaitable<void> wait_for(std::shared_ptr<Question> question);
  boost::asio::awaitable<void> wait_twice(std::shared_ptr<Question> question);
  void schedule_dispatch();
  void dispatch();
  Questions next_questions();
  boost::asio::awaitable<void> put(std::shared_ptr<PostgresqlSession> session, Questions questions);
  boost::asio::awaitable<void> put_together(PostgresqlSession& session, Questions& questions);
  void take_back(std::shared_ptr<PostgresqlSession> session);
  void open_another();
  void fail_waiting();
  bool is_too_much() noexcept;
  void publish() noexcept;

  boost::asio::any_io_executor worker_;
  std::shared_ptr<WorkerLoop> loop_;
  PostgresqlConnector& connector_;
  PostgresqlQueries const& queries_;
  std::size_t const most_sessions_;
  std::size_t sessions_ = 0;                              // those that are open, free or not
  std::vector<std::shared_ptr<PostgresqlSession>> free_;  // the last one used comes first
  std::deque<std::shared_ptr<Question>> waiting_;
  bool opening_ = false;
  bool dispatching_ = false;
  base::Overload overload_;
  PoolMetrics metrics_;
};

}  // namespace deployd::storage
