// A thread of the load generator, with its connections.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

#include "bench/connection.hpp"
#include "bench/thread_run.hpp"

namespace deployd::bench {

/// State shared by the threads of a run and the thread that observes them.
struct Progress {
  std::atomic<std::uint64_t> right{0};
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> late{0};
};

/// Only `progress` and `stop` are shared with other threads.
class LoadThread {
 public:
  /// All references must outlive the object.
  LoadThread(Options const& options, boost::asio::ip::tcp::endpoint endpoint, Window const& window,
             std::unique_ptr<Schedule> schedule, unsigned connections, std::atomic<bool> const& stop);
  ~LoadThread();

  /// Runs until the schedule is over and every request was answered or has failed. Rethrows exceptions from
  /// connections.
  void run();

  Progress const& progress() const noexcept { return progress_; }

  // Results, once `run` has returned.
  ThreadRun& results() noexcept { return run_; }
  /// The CPU time that this thread used in the counted part of the run, and the duration of that part.
  std::chrono::nanoseconds cpu_time() const noexcept { return cpu_end_ - cpu_begin_; }
  std::chrono::nanoseconds wall_time() const noexcept { return wall_end_ - wall_begin_; }

 private:
  boost::asio::awaitable<void> pace();
  boost::asio::awaitable<void> tick();
  void hand_out(Clock::time_point now);
  void measure_cpu(Clock::time_point now);
  void publish() noexcept;
  void start(boost::asio::awaitable<void> work);

  ThreadRun run_;
  std::atomic<bool> const& stop_;
  Progress progress_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::size_t running_ = 0;  // connections
  std::exception_ptr failure_;
  Clock::time_point stopped_at_ = Clock::time_point::max();
  std::chrono::nanoseconds cpu_begin_{}, cpu_end_{};
  Clock::time_point wall_begin_{}, wall_end_{};
};

}  // namespace deployd::bench
