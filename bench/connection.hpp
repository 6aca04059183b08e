// One keep-alive connection of the load generator.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/circular_buffer.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bench/body_check.hpp"
#include "bench/response_parser.hpp"
#include "bench/schedule.hpp"
#include "bench/thread_run.hpp"
#include "bench/tls.hpp"

namespace deployd::bench {

/// Sends the requests that its thread's schedule hands out, as many at a time as --pipeline allows, and checks the
/// responses. Connects again whenever the connection ends. All members must be called on the thread that owns it.
class Connection {
 public:
  explicit Connection(ThreadRun& thread);

  /// Connects, sends and receives, and connects again, until the schedule is over and all sent requests are answered.
  boost::asio::awaitable<void> run();

  /// True if the connection is open and has fewer requests in flight than allowed.
  bool has_room() const noexcept;

  /// In an open loop, puts the connection among those that get the next requests, if it has room and is not there.
  void wait_for_request();
  /// The same, after it was taken from among them.
  void wait_again();

  /// Sends up to `most` requests that are due at `now`.
  void pump(Clock::time_point now, unsigned most);

  /// Closes the connection if its oldest request has waited too long for its response, or if nothing is left to do.
  void sweep(Clock::time_point now);

  /// Closes the connection without counting the requests in flight.
  void abandon();

 private:
  struct Sent {
    Ticket ticket;
    Clock::time_point at;
  };

  boost::asio::awaitable<bool> connect();
  boost::asio::awaitable<std::optional<Fault>> secure();
  void close();
  void take_ahead(Clock::time_point now);
  boost::asio::awaitable<void> exchange();
  boost::asio::awaitable<boost::system::error_code> receive_secured(std::size_t& size);
  void resend();
  bool is_late(Ticket const& ticket, Clock::time_point now) const noexcept;
  void append_request(std::uint64_t index);
  void flush();
  void flush_secured();
  bool consume(Clock::time_point now);
  bool consume_body(Clock::time_point now);
  void answered(Clock::time_point now, std::optional<Failure> wrong_body, std::uint64_t bytes);
  void fail(Fault const& fault, Clock::time_point now);
  bool goes_on() const noexcept;
  void make_room();
  std::string_view unread() const noexcept { return {in_.get() + begin_, end_ - begin_}; }

  ThreadRun& thread_;
  boost::asio::ip::tcp::socket socket_;
  TlsSession session_;                      // of the previous connection, so it must outlive tls_
  std::unique_ptr<server::TlsStream> tls_;  // null for plain HTTP
  boost::circular_buffer<Sent> in_flight_;
  std::string out_;
  std::unique_ptr<char[]> in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  ResponseHead head_;
  bool in_body_ = false;
  std::uint64_t body_left_ = 0;
  std::uint64_t answer_bytes_ = 0;
  ChunkedDecoder chunks_;
  PiecewiseBodyCheck pieces_;
  Clock::time_point connecting_since_{};
  bool connecting_ = false;
  bool connected_ = false;
  bool answered_ = false;  // true after the first response on this connection
  bool listed_ = false;    // true while among the connections that wait for a request
  bool abandoned_ = false;
};

}  // namespace deployd::bench
