// A limit for calls that block on a PostgreSQL connection.
#pragma once

#include <libpq-fe.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/file_descriptor.hpp"

namespace deployd::storage {

/// Shuts a connection down after some time, from another thread, so that a call that waits for the server fails: libpq
/// would wait without limit for a server that is frozen.
class PostgresqlDeadline {
 public:
  /// Throws std::exception if there are no resources for it.
  PostgresqlDeadline(PGconn const* connection, std::chrono::milliseconds time);

  bool passed() const noexcept { return passed_; }

 private:
  void wait(std::stop_token const& stop, std::chrono::milliseconds time);

  base::FileDescriptor socket_;  // a duplicate, since libpq closes its own when the connection fails
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::atomic<bool> passed_ = false;
  std::jthread thread_;
};

}  // namespace deployd::storage
