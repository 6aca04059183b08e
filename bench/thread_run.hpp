// What the connections of one thread of the load generator share.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/circular_buffer.hpp>

#include <memory>
#include <string>

#include "bench/body_check.hpp"
#include "bench/options.hpp"
#include "bench/schedule.hpp"
#include "bench/tally.hpp"
#include "bench/time_series.hpp"
#include "bench/tls.hpp"

namespace deployd::bench {

class Connection;

/// The schedule, the results and the settings of one thread. For that thread.
class ThreadRun {
 public:
  /// `options` and `window` must outlive the object.
  ThreadRun(Options const& options, boost::asio::ip::tcp::endpoint endpoint, Window const& window,
            std::unique_ptr<Schedule> schedule, unsigned connections);

  boost::asio::io_context& context() noexcept { return io_; }
  Options const& options() const noexcept { return options_; }
  boost::asio::ip::tcp::endpoint const& endpoint() const noexcept { return endpoint_; }
  Window const& window() const noexcept { return window_; }
  Schedule& schedule() noexcept { return *schedule_; }
  /// Null for plain http.
  TlsClient const* tls() const noexcept { return tls_.get(); }
  BodyCheck& body_check() noexcept { return body_check_; }
  /// What follows the target in every request.
  std::string const& after_target() const noexcept { return after_target_; }

  Tally& tally() noexcept { return tally_; }
  TimeSeries& series() noexcept { return series_; }
  /// Counts a right answer.
  void right(Clock::time_point now, Clock::duration latency, Clock::duration service, std::uint64_t bytes);
  void answered(Clock::time_point now) noexcept { last_contact_ = now; }
  Clock::time_point last_answer() const noexcept { return last_contact_; }
  /// Counts a finished TLS handshake.
  void secured(Clock::time_point now, bool resumed) noexcept;
  /// Notes that the server cannot be connected to. Ends the run early after the timeout of a response.
  void unreachable(Clock::time_point now);
  /// True if the run ended early because the server was unreachable.
  bool gave_up() const noexcept { return gave_up_; }

  /// The connections of an open loop that get the next requests.
  boost::circular_buffer<Connection*>& waiting() noexcept { return waiting_; }
  /// In an open loop, a request that no connection was free for when it was due, or that the generator was late for.
  bool is_late(Ticket const& ticket, Clock::time_point now) const noexcept;

 private:
  Options const& options_;
  boost::asio::ip::tcp::endpoint endpoint_;
  Window window_;
  std::unique_ptr<Schedule> schedule_;
  boost::asio::io_context io_;
  std::unique_ptr<TlsClient> tls_;
  BodyCheck body_check_;
  std::string after_target_;
  Tally tally_;
  TimeSeries series_;
  boost::circular_buffer<Connection*> waiting_;
  Clock::time_point last_contact_ = Clock::now();
  bool gave_up_ = false;
};

}  // namespace deployd::bench
