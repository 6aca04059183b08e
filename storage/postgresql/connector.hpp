// Opens PostgreSQL sessions on separate threads, because opening blocks and workers must not.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/system/result.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "storage/error.hpp"
#include "storage/postgresql/opening.hpp"
#include "storage/store_state.hpp"

namespace deployd::storage {

/// A worker's event loop, while it accepts tasks from other threads.
class WorkerLoop {
 public:
  explicit WorkerLoop(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  /// Runs `task` on the worker's thread, or drops it if the loop has been closed. Safe to call from any thread. Throws
  /// std::bad_alloc, after which nothing has been posted.
  template <typename Task>
  void post(Task task) {
    std::scoped_lock const lock(mutex_);
    if (executor_) boost::asio::post(*executor_, std::move(task));
  }
  /// After this call nothing is posted any more.
  void close();

 private:
  std::mutex mutex_;
  std::optional<boost::asio::any_io_executor> executor_;
};

/// Connects on a few threads of its own. While the server is unreachable, one of them tries, with growing pauses
/// between the attempts, and all other requests fail at once.
class PostgresqlConnector {
 public:
  using Result = boost::system::result<OpenedPostgresql>;
  using Done = std::function<void(Result)>;

  explicit PostgresqlConnector(PostgresqlSource source) : source_(std::move(source)) {}
  /// Waits for attempts in progress.
  ~PostgresqlConnector();

  PostgresqlSource const& source() const noexcept { return source_; }

  /// Opens a session for `use` to the host that reads must use, and calls `done` on `worker` with the result. Returns
  /// false, and does not call `done`, while the server is unreachable and it is not yet time for another attempt.
  /// `done` may be destroyed on another thread, after the worker's loop.
  bool open(std::shared_ptr<WorkerLoop> worker, SessionUse use, Done done);

  /// The state of the server, for the log. Failed queries are reported by those who send them.
  StoreState& state() noexcept { return state_; }

 private:
  // More than one, so that a server that is slow to accept one connection does not delay the others.
  static constexpr std::size_t tries_at_once = 2;

  struct Request {
    std::shared_ptr<WorkerLoop> worker;
    SessionUse use;
    Done done;
    Result result = make_error_code(errc::unavailable);
  };

  bool may_try() noexcept;
  Result connect(SessionUse use) noexcept;
  void hand_over(std::shared_ptr<Request> const& request) noexcept;

  PostgresqlSource source_;
  StoreState state_;
  std::mutex mutex_;
  std::chrono::milliseconds pause_{0};  // zero while the server is reachable
  std::chrono::steady_clock::time_point next_try_;
  std::atomic<bool> stopping_ = false;
  boost::asio::thread_pool threads_{tries_at_once};
};

}  // namespace deployd::storage
