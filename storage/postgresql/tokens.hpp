// Looks up API tokens in PostgreSQL.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "storage/postgresql/pool.hpp"
#include "storage/postgresql/queries.hpp"
#include "storage/store.hpp"

namespace deployd::storage {

/// Sends look-ups to the server in batches, one batch at a time. Unknown tokens, which anyone can send in any number,
/// thus use at most one session of the pool, and valid ones wait for at most two batches.
///
/// Must be used on its worker's thread. The coroutines it has started on the worker's loop keep it alive.
class PostgresqlTokens : public std::enable_shared_from_this<PostgresqlTokens> {
 public:
  /// The maximum number of hashes per query.
  static constexpr std::size_t most_together = 128;

  PostgresqlTokens(boost::asio::any_io_executor worker, std::shared_ptr<PostgresqlPool> pool)
      : worker_(std::move(worker)), pool_(std::move(pool)) {}

  /// Returns the token with this hash. Fails with `errc::timeout` if there is no result within the timeout, with
  /// `errc::overloaded` at once if too many look-ups are waiting, and with the errors of `PostgresqlPool::ask`.
  boost::asio::awaitable<boost::system::result<std::optional<ApiToken>>> look_up(Sha256 hash);

 private:
  struct Question;
  using Questions = std::vector<std::shared_ptr<Question>>;

  static boost::asio::awaitable<void> ask_all(std::shared_ptr<PostgresqlTokens> self);
  Questions next_questions();
  void end_batches(std::exception_ptr failure) noexcept;

  boost::asio::any_io_executor worker_;
  std::shared_ptr<PostgresqlPool> pool_;
  std::deque<std::shared_ptr<Question>> waiting_;
  bool asking_ = false;
};

}  // namespace deployd::storage
