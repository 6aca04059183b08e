// A client's socket, with TLS or without, and the deadline of what is awaited from it.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "server/http/handler_memory.hpp"
#include "server/http/phase_deadline.hpp"
#include "server/tls/handshake.hpp"
#include "server/tls/stream.hpp"

namespace deployd::server {

using Socket = boost::asio::generic::stream_protocol::socket;

/// Reads and writes without waiting, and waits apart from that: `read` and `write` say what has to be waited for. No
/// wait outlasts the deadline: one that begins when it has passed ends at once. For one thread.
class ByteStream {
 public:
  using Status = TlsStream::Status;
  using Progress = TlsStream::Progress;

  /// Without `tls` bytes are sent as they are. `record_room` has room for one record of TLS and is used within single
  /// calls only; it must outlive this.
  ByteStream(Socket socket, std::unique_ptr<TlsStream> tls, std::span<char> record_room) noexcept
      : socket_(std::move(socket)), tls_(std::move(tls)), record_room_(record_room) {}

  PhaseDeadline& deadline() noexcept { return deadline_; }
  PhaseDeadline const& deadline() const noexcept { return deadline_; }

  bool secured() const noexcept { return tls_ != nullptr; }

  /// Makes the handshake of TLS within the deadline.
  boost::asio::awaitable<TlsHandshake> shake_hands();

  /// What a client sent that does not speak TLS: after the handshake has ended in `plain_text`, until `drop_tls`.
  std::string_view plain_text() const noexcept { return tls_->plain_text(); }

  /// From now on bytes are sent as they are.
  void drop_tls() noexcept { tls_.reset(); }

  /// Reads what was received before and not read; `wants_bytes` where there is none.
  Progress read_buffered(boost::asio::mutable_buffer into) noexcept;

  /// Reads what has arrived.
  Progress read(boost::asio::mutable_buffer into) noexcept;

  /// Receives bytes to be thrown away, as they are on the wire.
  Progress discard(boost::asio::mutable_buffer into) noexcept { return receive(into); }

  /// Sends the beginning of `head` and, when that is done, `body`: as much as goes at once. After `wants_to_send` it
  /// must be called again with the same bytes.
  Progress write(std::span<char const> head, std::span<char const> body) noexcept;

  /// True when part of a record has arrived, of which nothing can be read.
  bool has_part() const noexcept { return tls_ && tls_->has_part(); }

  /// Waits until the socket may do what `status` wants, or the deadline passes: to be awaited, and gives one error
  /// code. It takes nothing from the heap.
  auto wait(Status status) {
    auto const direction = status == Status::wants_to_send ? Socket::wait_write : Socket::wait_read;
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        [this](auto handler, Socket::wait_type what) {
          if (deadline_.passed()) {
            auto answer = [handler = std::move(handler)]() mutable {
              std::move(handler)(boost::system::error_code(boost::asio::error::timed_out));
            };
            return boost::asio::post(socket_.get_executor(),
                                     boost::asio::bind_allocator(HandlerAllocator<void>(memory_), std::move(answer)));
          }
          socket_.async_wait(what, std::move(handler));
        },
        token_, direction);
  }

  /// The deadline has passed: ends what is awaited.
  void expire() noexcept;

  /// Closes the socket; what is awaited ends.
  void cut() noexcept;

  /// Lets the other side see that no more is sent, with TLS by its own means too.
  void close_sending() noexcept;
  void close_tls() noexcept;

  /// The other side is to see a reset when the socket is closed, instead of an end.
  void reset_on_close() noexcept;

  int native_handle() noexcept { return socket_.native_handle(); }

  /// Bytes that were sent and that the other side has not received.
  std::size_t held_bytes() noexcept;

  /// Why TLS has failed.
  std::string tls_failure() const { return tls_->reason(); }

 private:
  using Token = decltype(boost::asio::bind_allocator(std::declval<HandlerAllocator<void>>(),
                                                     boost::asio::as_tuple(boost::asio::deferred)));

  Progress receive(boost::asio::mutable_buffer into) noexcept;
  Progress send(std::span<char const> head, std::span<char const> body) noexcept;
  std::span<char const> next_record(std::span<char const> head, std::span<char const> body) noexcept;

  HandlerMemory memory_;
  Socket socket_;
  std::unique_ptr<TlsStream> tls_;  // null: plain text
  std::span<char> record_room_;
  PhaseDeadline deadline_;
  Token token_ =
      boost::asio::bind_allocator(HandlerAllocator<void>(memory_), boost::asio::as_tuple(boost::asio::deferred));
};

}  // namespace deployd::server
