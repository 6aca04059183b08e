// Bytes on their way to a client.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "auth/refusal.hpp"
#include "routing/request.hpp"
#include "routing/route_label.hpp"

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

/// One request being answered, as the server lends it to a handler.
class Exchange {
 public:
  /// Where the answer is appended to; it may hold answers to earlier requests of the same connection.
  virtual Output& output() = 0;

  /// Sends what stands in `output()` and empties it. False when the client is gone or too slow: give up then.
  virtual boost::asio::awaitable<bool> flush() = 0;

  /// From now on the answer is streamed: the limit for streams runs.
  virtual void begin_stream() noexcept = 0;

  /// True if part of the response has been sent, so that it can no longer be replaced.
  virtual bool streaming() const noexcept = 0;

  /// The connection cannot be used for another request: close it in order once the output is sent.
  virtual void close_after() noexcept = 0;

  /// The answer cannot be completed: close the connection at once, so that the client notices.
  virtual void abort() noexcept = 0;

  /// For the access log; 0 and an empty subject leave what was noted before.
  virtual void note(unsigned status, std::string_view subject) = 0;

  /// Why the request is answered 401, for the access log.
  virtual void note_refusal(auth::Refusal why) noexcept = 0;

  /// What the request is called in the log: what the client calls it, or a name made when this is first called. Valid
  /// until the answer is complete.
  virtual std::string_view request_id(Request const& request) = 0;

  /// What the request is counted under; until this is called it is `no_route`.
  virtual void note_route(RouteLabel route) noexcept = 0;

 protected:
  ~Exchange() = default;
};

}  // namespace deployd::routing
