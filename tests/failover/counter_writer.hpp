// A program that changes the data of deployd all the time, and remembers when.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace deployd::tests {

/// Which numbers have been the name of deployment 1, and since when. Any thread.
class CounterHistory {
 public:
  using Clock = std::chrono::steady_clock;

  /// The next number, which may be seen from now on.
  std::uint64_t begin();
  /// That it is committed, and has been for some moments.
  void committed(std::uint64_t number);

  /// What may be answered to a request that was sent at `sent`: nothing older than what was committed a second before.
  std::uint64_t least(Clock::time_point sent) const;
  std::uint64_t most() const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t begun_ = 0;
  std::deque<std::pair<Clock::time_point, std::uint64_t>> committed_;
};

/// Writes the next number some hundred times a second, to whichever host takes it, until it is destroyed.
class CounterWriter {
 public:
  CounterWriter(std::string url, CounterHistory& history);

 private:
  void run(std::stop_token const& stop);
  void write_on_one_session(std::stop_token const& stop);

  std::string url_;
  CounterHistory& history_;
  std::jthread thread_;
};

}  // namespace deployd::tests
