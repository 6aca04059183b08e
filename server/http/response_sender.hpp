// Sends answers, and knows how long a slow reader is waited for.
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

/// The answers of one connection on their way out. The output is borrowed while there are answers in it.
class ResponseSender {
 public:
  using Outputs = SpareParts<routing::Output>;

  /// All of them must outlive this; `bytes_sent` counts what goes out.
  ResponseSender(ByteStream& stream, Outputs& outputs, ReaderLimits const& limits, base::Counter& bytes_sent) noexcept
      : stream_(stream), outputs_(outputs), bytes_sent_(bytes_sent), patience_(limits) {}
  ~ResponseSender() { release(); }
  ResponseSender(ResponseSender const&) = delete;
  ResponseSender& operator=(ResponseSender const&) = delete;

  /// Where answers are appended to. Throws std::bad_alloc when it cannot be borrowed.
  routing::Output& output() {
    if (!output_) output_ = outputs_.borrow();
    return *output_;
  }

  bool empty() const noexcept { return !output_ || output_->empty(); }

  /// The bytes of all answers so far, sent or waiting to be.
  std::uint64_t bytes_of_answers() const noexcept;

  /// Gives the output back, with what was not sent.
  void release() noexcept;

  /// Sends as much as the socket takes at once: `done`, `wants_to_send` or `failed`.
  ByteStream::Status send() noexcept;

  /// Sends all of it, in a phase of its own. False when the client is gone or reads too slowly.
  boost::asio::awaitable<bool> flush();

  /// The answer from here on is a streamed list, with the limits for that.
  void begin_stream() noexcept;
  void end_stream() noexcept { patience_.end_stream(); }
  bool streaming() const noexcept { return patience_.streaming(); }

  /// Looks at a client that is waited for when its deadline is due. True when it gets more time.
  bool gives_more_time(PhaseDeadline::TimePoint now) noexcept;

  /// Nothing can be sent any more.
  bool broken() const noexcept { return broken_; }
  void give_up() noexcept { broken_ = true; }

  /// Gives up so that the client sees a reset, by which a client without chunks to count notices too.
  void abort() noexcept;

 private:
  void note_sent(std::size_t bytes) noexcept;
  std::uint64_t received() noexcept;

  ByteStream& stream_;
  Outputs& outputs_;
  base::Counter& bytes_sent_;
  ReaderPatience patience_;
  std::unique_ptr<routing::Output> output_;
  std::size_t sent_ = 0;  // of output_->bytes
  std::uint64_t sent_in_all_ = 0;
  bool broken_ = false;
};

}  // namespace deployd::server
