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
struct ThreadRun {
  Options const& options;
  boost::asio::ip::tcp::endpoint endpoint;
  Window window;
  std::unique_ptr<Schedule> schedule;
  // Only one thread runs it and posts to it, so it needs no locks.
  boost::asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  std::unique_ptr<TlsClient> tls =  // null for plain HTTP
      options.url.secure ? std::make_unique<TlsClient>(options.url.host, options.tls) : nullptr;
  BodyCheck body_check{options.expect_body};
  std::string after_target = " HTTP/1.1\r\n" + options.fields + "\r\n";  // in every request
  boost::circular_buffer<Connection*> waiting;  // the connections of an open loop that get the next requests

  Tally tally = {};
  TimeSeries series = {};
  Clock::time_point last_answer = Clock::now();
  bool gave_up = false;  // it ended early because the server was unreachable
};

}  // namespace deployd::bench
