// State shared by the connections of one thread of the load generator.
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

/// The schedule, the results and the settings of one thread. Must be used on that thread.
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
  /// Null for plain HTTP.
  TlsClient const* tls() const noexcept { return tls_.get(); }
  BodyCheck& body_check() noexcept { return body_check_; }
  /// The bytes that follow the target in every request.
  std::string const& after_target() const noexcept { return after_target_; }

  Tally& tally() noexcept { return tally_; }
  TimeSeries& series() noexcept { return series_; }
  /// Counts a correct response.
  void right(Clock::time_point now, Clock::duration latency, Clock::duration service, std::uint64_t bytes);
  void answered(Clock::time_point now) noexcept { last_contact_ = now; }
  Clock::time_point last_answer() const noexcept { return last_contact_; }
  /// Counts a finished TLS handshake.
  void secured(Clock::time_point now, bool resumed) noexcept;
  /// Records that no connection could be made. Ends the run early after the timeout of a response.
  void unreachable(Clock::time_point now);
  /// True if the run ended early because the server was unreachable.
  bool gave_up() const noexcept { return gave_up_; }

  /// The connections of an open loop that get the next requests.
  boost::circular_buffer<Connection*>& waiting() noexcept { return waiting_; }
  /// In an open loop, true if no connection was free for the request when it was due, or the generator was late.
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
