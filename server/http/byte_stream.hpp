// A client's socket, with or without TLS, and the deadline of its waits.
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

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "server/http/handler_memory.hpp"
#include "server/http/phase_deadline.hpp"
#include "server/tls/stream.hpp"

namespace deployd::server {

/// The outcome of a TLS handshake.
enum class TlsHandshake : std::uint8_t {
  full,
  resumed,     // from an earlier session
  failed,      // no common parameters, or a refused certificate
  plain_text,  // the client does not speak TLS
  abandoned,   // the client disconnected or took too long
};

/// The names of the outcomes in metrics.
inline constexpr auto tls_handshake_names =
    std::to_array<std::string_view>({"full", "resumed", "failed", "plain_text", "abandoned"});
inline constexpr std::size_t tls_handshake_results = tls_handshake_names.size();

/// Makes closing the socket reset the connection, so that the kernel keeps no state of it and the other side does not
/// take it for the end of a response.
void reset_on_close(int socket) noexcept;

using Socket = boost::asio::generic::stream_protocol::socket;

/// Separates reading and writing, which never wait, from waiting: `read` and `write` return what must be waited for. No
/// wait lasts longer than the deadline; a wait that begins after the deadline ends at once. For one thread.
class ByteStream {
 public:
  using Status = TlsStream::Status;
  using Progress = TlsStream::Progress;

  /// Without `tls`, bytes are sent as they are. `record_room` has room for one TLS record and is used only within
  /// single calls; it must outlive this object.
  ByteStream(Socket socket, std::unique_ptr<TlsStream> tls, std::span<char> record_room) noexcept
      : socket_(std::move(socket)), tls_(std::move(tls)), record_room_(record_room) {}

  PhaseDeadline& deadline() noexcept { return deadline_; }
  PhaseDeadline const& deadline() const noexcept { return deadline_; }

  bool secured() const noexcept { return tls_ != nullptr; }

  /// Performs the TLS handshake within the deadline.
  boost::asio::awaitable<TlsHandshake> shake_hands();

  /// What was received from a client that does not speak TLS. Valid after the handshake has ended with `plain_text`,
  /// until `drop_tls`.
  std::string_view plain_text() const noexcept { return tls_->plain_text(); }

  /// From now on bytes are sent unencrypted.
  void drop_tls() noexcept { tls_.reset(); }

  /// Reads bytes that were received earlier and not read yet; `wants_bytes` if there are none.
  Progress read_buffered(boost::asio::mutable_buffer into) noexcept;

  /// Reads bytes that have arrived.
  Progress read(boost::asio::mutable_buffer into) noexcept;

  /// Receives bytes to be discarded, without decrypting them.
  Progress discard(boost::asio::mutable_buffer into) noexcept { return receive(into); }

  /// Sends the beginning of `head` and after it `body`, as much as the socket accepts. After `wants_to_send` it must be
  /// called again with the same bytes.
  Progress write(std::span<char const> head, std::span<char const> body) noexcept;

  /// True if an incomplete TLS record has arrived, from which nothing can be read yet.
  bool has_part() const noexcept { return tls_ && tls_->has_part(); }

  /// Waits until the socket is ready for `status`, or the deadline passes. The awaited result is one error code. Does
  /// not allocate from the heap.
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

  /// Ends the current wait because the deadline has passed.
  void expire() noexcept;

  /// Closes the socket and ends the current wait.
  void cut() noexcept;

  /// Shuts down sending so that the other side sees the end; with TLS, sends a close_notify too.
  void close_sending() noexcept;
  void close_tls() noexcept;

  /// Makes closing the socket send a reset instead of an orderly end.
  void reset_on_close() noexcept;

  int native_handle() noexcept { return socket_.native_handle(); }

  /// Returns the number of bytes that were sent but not received by the other side yet.
  std::size_t held_bytes() noexcept;

  /// Returns why TLS has failed.
  std::string tls_failure() const { return tls_->reason(); }

 private:
  using Token = decltype(boost::asio::bind_allocator(std::declval<HandlerAllocator<void>>(),
                                                     boost::asio::as_tuple(boost::asio::deferred)));

  Progress receive(boost::asio::mutable_buffer into) noexcept;
  Progress send(std::span<char const> head, std::span<char const> body) noexcept;
  std::span<char const> next_record(std::span<char const> head, std::span<char const> body) noexcept;

  HandlerMemory memory_;
  Socket socket_;
  std::unique_ptr<TlsStream> tls_;  // null for plain text
  std::span<char> record_room_;
  PhaseDeadline deadline_;
  Token token_ =
      boost::asio::bind_allocator(HandlerAllocator<void>(memory_), boost::asio::as_tuple(boost::asio::deferred));
};

}  // namespace deployd::server
