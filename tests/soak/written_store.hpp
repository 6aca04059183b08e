// A store that is written to all the time, and what its readers may see.
#pragma once

#include <soci/soci.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "storage/database_url.hpp"

namespace deployd::tests {

/// Deployments 1 to `still_rows` of the patterns P1 to P10 never change. Two more, of the pattern CHANGING, are renamed
/// to `v1`, `v2`, `v3` ... together, in one transaction, ten times a second.
class WrittenStore {
 public:
  static constexpr int still_rows = 30000;
  static constexpr int still_patterns = 10;
  static constexpr int first_changing = 100001;
  static constexpr int second_changing = 100002;

  /// Makes the schema and the rows. `staleness` is how old an answer may be.
  WrittenStore(storage::DatabaseUrl url, std::chrono::milliseconds staleness);
  ~WrittenStore();

  void start_writing();
  void stop_writing();

  /// An answer to a request that is sent after this call must not show an older version.
  std::uint64_t least_version();
  /// An answer that was received before this call must not show a newer one.
  std::uint64_t most_version() const noexcept { return begun_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Commit {
    Clock::time_point time;
    std::uint64_t version;
  };

  void fill();
  void write(std::uint64_t version);

  storage::DatabaseUrl url_;
  std::chrono::milliseconds staleness_;
  std::unique_ptr<soci::session> session_;
  std::atomic<std::uint64_t> begun_{1};
  std::mutex mutex_;
  std::deque<Commit> commits_;  // the newest at the end; those older than `staleness_` but the last are forgotten
  std::jthread writer_;
};

}  // namespace deployd::tests
