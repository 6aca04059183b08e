// Bytes on their way to a client.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "routing/request.hpp"

namespace deployd::routing {

/// Answers that wait to be sent: `bytes`, then what is left of `tail`.
///
/// The tail is a large body that others may be sending too (a cached answer), so it is shared instead of copied:
/// however many clients read it slowly, it is in memory once. While there is one nothing may be appended: see
/// `accepts_more`.
struct Output {
  std::string bytes;
  std::shared_ptr<std::string const> tail;
  std::size_t tail_offset = 0;

  bool empty() const noexcept { return bytes.empty() && !tail; }
  bool accepts_more() const noexcept { return !tail && bytes.size() < flush_threshold; }
  void clear() noexcept {
    bytes.clear();
    tail.reset();
    tail_offset = 0;
  }

  /// Answers to pipelined requests are collected up to this many bytes before they are sent.
  static constexpr std::size_t flush_threshold = 64 * 1024;
};

/// The connection that a response is sent on, as the server lends it to routing.
class Exchange {
 public:
  /// Where the response is appended; it may contain responses to earlier requests of the same connection.
  virtual Output& output() = 0;

  /// Sends what is in `output()` and empties it. Returns false if the client is gone or too slow: stop then.
  virtual boost::asio::awaitable<bool> flush() = 0;

  /// The response is streamed from now on, under the limits for streams.
  virtual void begin_stream() noexcept = 0;

  /// True if part of the response has been sent, so that it can no longer be replaced.
  virtual bool streaming() const noexcept = 0;

  /// Has the connection closed in order once the output is sent.
  virtual void close_after() noexcept = 0;

  /// The response cannot be completed: closes the connection at once, so that the client notices.
  virtual void abort() noexcept = 0;

  /// Returns the id of the request in the log: the client's, or one that is made by the first call. Valid until the
  /// response is complete.
  virtual std::string_view request_id(Request const& request) = 0;

 protected:
  ~Exchange() = default;
};

}  // namespace deployd::routing
