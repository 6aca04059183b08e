// One thread of the load generator, with its connections.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/circular_buffer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "bench/body_check.hpp"
#include "bench/connection.hpp"
#include "bench/options.hpp"
#include "bench/schedule.hpp"
#include "bench/tally.hpp"
#include "bench/time_series.hpp"
#include "bench/tls.hpp"

namespace deployd::bench {

/// What the threads of a run and the one that watches them tell each other.
struct Progress {
  std::atomic<std::uint64_t> right{0};
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> late{0};
};

/// Nothing in here is shared with another thread but `progress` and `stop`.
class LoadThread {
 public:
  /// All references must outlive the object.
  LoadThread(Options const& options, boost::asio::ip::tcp::endpoint endpoint, Window const& window,
             std::unique_ptr<Schedule> schedule, unsigned connections, std::atomic<bool> const& stop);
  ~LoadThread();

  /// Runs until the schedule is over and every request answered or failed. Throws what a connection threw.
  void run();

  Progress const& progress() const noexcept { return progress_; }

  // Results, once `run` has returned.
  Tally& tally() noexcept { return tally_; }
  TimeSeries& series() noexcept { return series_; }
  /// The CPU time that the counted part of the run took this thread, and how long that was.
  std::chrono::nanoseconds cpu_time() const noexcept { return cpu_end_ - cpu_begin_; }
  std::chrono::nanoseconds wall_time() const noexcept { return wall_end_ - wall_begin_; }
  Clock::time_point last_answer() const noexcept { return last_contact_; }
  /// It ended early since the server was gone.
  bool gave_up() const noexcept { return gave_up_; }

  // For its connections.
  boost::asio::io_context::executor_type executor() noexcept { return io_.get_executor(); }
  Options const& options() const noexcept { return options_; }
  boost::asio::ip::tcp::endpoint const& endpoint() const noexcept { return endpoint_; }
  Window const& window() const noexcept { return window_; }
  Schedule& schedule() noexcept { return *schedule_; }
  /// Null for plain http.
  TlsClient const* tls() const noexcept { return tls_.get(); }
  BodyCheck& body_check() noexcept { return body_check_; }
  /// What follows the target in every request.
  std::string const& after_target() const noexcept { return after_target_; }
  void right(Clock::time_point now, Clock::duration latency, Clock::duration service, std::uint64_t bytes);
  void answered(Clock::time_point now) noexcept { last_contact_ = now; }
  /// A handshake of TLS is done.
  void secured(Clock::time_point now, bool resumed) noexcept;
  /// No connection was to be had.
  void unreachable(Clock::time_point now);
  /// In an open loop, puts the connection among those that get the next requests.
  void wants_request(Connection& connection);
  /// A request that no connection was free for when it was due, or that the generator itself was late for.
  bool is_late(Ticket const& ticket, Clock::time_point now) const noexcept;

 private:
  boost::asio::awaitable<void> pace();
  boost::asio::awaitable<void> tick();
  void hand_out(Clock::time_point now);
  void measure_cpu(Clock::time_point now);
  void publish() noexcept;
  void ended(std::exception_ptr failure);

  Options const& options_;
  boost::asio::ip::tcp::endpoint endpoint_;
  Window window_;
  std::unique_ptr<Schedule> schedule_;
  std::atomic<bool> const& stop_;
  boost::asio::io_context io_;
  std::unique_ptr<TlsClient> tls_;
  BodyCheck body_check_;
  std::string after_target_;
  Tally tally_;
  TimeSeries series_;
  Progress progress_;
  std::vector<std::unique_ptr<Connection>> connections_;
  boost::circular_buffer<Connection*> waiting_;
  std::size_t running_ = 0;
  std::exception_ptr failure_;
  Clock::time_point last_contact_;
  Clock::time_point stopped_at_ = Clock::time_point::max();
  bool gave_up_ = false;
  std::chrono::nanoseconds cpu_begin_{}, cpu_end_{};
  Clock::time_point wall_begin_{}, wall_end_{};
};

}  // namespace deployd::bench
