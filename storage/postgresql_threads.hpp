// Threads for calls that block: a bounded queue, and a session of its own for each thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/error.hpp"
#include "storage/postgresql_queries.hpp"

namespace deployd::storage {

/// The jobs of one store that are not done yet.
class Outstanding {
 public:
  void enter();
  void leave();
  void wait_for_none();

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
};

/// Connecting, shared by all threads: while the server is away one of them tries, with growing pauses between the
/// tries, and the others fail at once.
class Connecting {
 public:
  explicit Connecting(PostgresqlSource source) : source_(std::move(source)) {}

  /// Any thread. Fails with `errc::unavailable`, having said why in the log.
  boost::system::result<std::unique_ptr<PostgresqlQueries>> connect();

  /// Says in the log, now and then, why a question failed.
  void complain(boost::system::error_code failure, std::string const& why);

 private:
  PostgresqlSource source_;
  std::mutex mutex_;
  std::chrono::milliseconds pause_{0};
  std::chrono::steady_clock::time_point next_try_;
  std::chrono::steady_clock::time_point next_complaint_;
};

class PostgresqlThreads {
 public:
  /// The session of the thread that a job runs on; null until somebody connects it.
  using Session = std::unique_ptr<PostgresqlQueries>;
  using Work = std::function<void(Session&)>;

  PostgresqlThreads(std::size_t threads, std::size_t most_waiting);
  /// Does what is queued, then ends the threads.
  ~PostgresqlThreads();

  /// False when too many wait already. `outstanding` counts the job until it is done and gone.
  bool submit(Work work, Outstanding& outstanding);

 private:
  struct Job {
    Work work;
    Outstanding* outstanding;
  };

  void run();

  std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace deployd::storage
