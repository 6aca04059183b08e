// Records when API tokens were last used, off the threads that serve.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "storage/database_url.hpp"

namespace deployd::storage {

/// Collects the uses of tokens in one process and writes them in batches, on a session and a thread of its own. A
/// failure is logged once, and the collected uses are written with the next batch.
class TokenUses {
 public:
  /// `table` is the table of tokens. A batch is written at most `pause` after its first use, and on destruction.
  TokenUses(DatabaseUrl url, std::string table, std::chrono::milliseconds pause = std::chrono::seconds(15));
  ~TokenUses();

  /// Safe to call from any thread.
  void note(std::int64_t token_id, std::int64_t unix_seconds);

 private:
  void run();
  bool write(std::map<std::int64_t, std::int64_t> const& uses);

  DatabaseUrl url_;
  std::string statement_;
  std::chrono::milliseconds pause_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::int64_t, std::int64_t> uses_;  // id -> latest use; ordered, so that writers lock rows in one order
  bool stopping_ = false;
  bool complained_ = false;
  std::thread writer_;
};

/// The uses seen by one worker: a token in constant use is passed to other threads every few seconds and not at every
/// request. Must be used on the worker's thread.
class WorkerTokenUses {
 public:
  explicit WorkerTokenUses(TokenUses& uses) : uses_(uses) {}

  void note(std::int64_t token_id) noexcept;

 private:
  TokenUses& uses_;
  std::unordered_map<std::int64_t, std::int64_t> handed_on_;  // id -> when
};

}  // namespace deployd::storage
