// Clients that ask for what a CounterWriter writes, and check that no answer is too old.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/failover/counter_writer.hpp"
#include "tests/integration/http_connection.hpp"

namespace deployd::tests {

struct ReadTally {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;                 // with a number that was not too old
  std::uint64_t unavailable = 0;              // 503, as the contract has it
  std::uint64_t wrong = 0;                    // anything else, what is too old included
  std::uint64_t lost = 0;                     // no answer
  std::chrono::milliseconds longest_gap{0};   // between two numbers, of whichever clients
  std::chrono::milliseconds longest_wait{0};  // for an answer, of one client
  std::string first_fault;

  bool flawless() const noexcept { return wrong == 0 && lost == 0; }
};

/// Asks from construction to `stop`.
class CheckedReaders {
 public:
  using Clock = std::chrono::steady_clock;

  CheckedReaders(std::uint16_t port, std::string const& token, CounterHistory const& history, int clients = 8);
  ~CheckedReaders();

  /// Waits for a number in answer to a request that was sent after `since`; false when none comes before `deadline`.
  bool wait_for_answer(Clock::time_point since, Clock::time_point deadline) const;
  /// What was seen since the last call.
  ReadTally take();
  ReadTally stop();

 private:
  void run();
  void ask(HttpConnection& connection);
  void note(HttpAnswer const& answer, Clock::time_point sent);

  std::uint16_t port_;
  std::string request_;
  CounterHistory const& history_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  ReadTally tally_;
  Clock::time_point last_answer_ = Clock::now();
  Clock::time_point last_answered_sent_;
  std::vector<std::thread> threads_;
};

}  // namespace deployd::tests
