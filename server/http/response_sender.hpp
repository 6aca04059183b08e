// Sends responses, and limits the wait for slow readers.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/counter.hpp"
#include "routing/output.hpp"
#include "server/http/byte_stream.hpp"
#include "server/http/reader_patience.hpp"
#include "server/http/spare_parts.hpp"

namespace deployd::server {

/// The responses of one connection that are being sent. The output is borrowed while it contains responses.
class ResponseSender {
 public:
  using Outputs = SpareParts<routing::Output>;

  /// All arguments must outlive this object. `bytes_sent` counts sent bytes.
  ResponseSender(ByteStream& stream, Outputs& outputs, ReaderLimits const& limits, base::Counter& bytes_sent) noexcept
      : stream_(stream), outputs_(outputs), bytes_sent_(bytes_sent), patience_(limits) {}
  ~ResponseSender() { release(); }
  ResponseSender(ResponseSender const&) = delete;
  ResponseSender& operator=(ResponseSender const&) = delete;

  /// Returns the output to which responses are appended. Throws std::bad_alloc if it cannot be borrowed.
  routing::Output& output() {
    if (!output_) output_ = outputs_.borrow();
    return *output_;
  }

  bool empty() const noexcept { return !output_ || output_->empty(); }

  /// Returns the number of bytes of all responses so far, sent or waiting.
  std::uint64_t bytes_of_answers() const noexcept;

  /// Returns the output, including bytes that were not sent.
  void release() noexcept;

  /// Sends as much as the socket accepts: `done`, `wants_to_send` or `failed`.
  ByteStream::Status send() noexcept;

  /// Sends everything, in a phase of its own. Returns false if the client has disconnected or reads too slowly.
  boost::asio::awaitable<bool> flush();

  /// Applies the limits of streamed lists to the response that follows.
  void begin_stream() noexcept;
  void set_expansion(double factor) noexcept { patience_.set_expansion(factor); }
  void end_stream() noexcept { patience_.end_stream(); }
  bool streaming() const noexcept { return patience_.streaming(); }

  /// Checks a slow client when its deadline is due. Returns true if the deadline is extended.
  bool gives_more_time(PhaseDeadline::TimePoint now) noexcept;

  /// True if nothing can be sent any more.
  bool broken() const noexcept { return broken_; }
  void give_up() noexcept { broken_ = true; }

  /// Stops sending and makes the connection end with a reset, so that even a client without chunks to count notices.
  void abort() noexcept;

 private:
  void note_sent(std::size_t bytes) noexcept;
  std::uint64_t received() noexcept;

  ByteStream& stream_;
  Outputs& outputs_;
  base::Counter& bytes_sent_;
  ReaderPatience patience_;
  std::unique_ptr<routing::Output> output_;
  std::size_t sent_ = 0;  // bytes of output_->bytes
  std::uint64_t sent_in_all_ = 0;
  bool broken_ = false;
};

}  // namespace deployd::server
