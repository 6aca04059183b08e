// A connection of a client.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/intrusive/list_hook.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "routing/output.hpp"
#include "routing/request.hpp"
#include "routing/request_metrics.hpp"
#include "server/http/byte_stream.hpp"
#include "server/http/connection_context.hpp"
#include "server/http/input_buffer.hpp"
#include "server/http/response_sender.hpp"

namespace deployd::server {

/// Reads requests from a socket, passes them on in order, and sends the responses. Belongs to its worker's thread.
///
/// Deadlines are set here and enforced by the worker, which sweeps over its connections and calls `check_deadline`.
/// Between requests a connection holds neither a buffer (apart from its own small one) nor an output.
class Connection final : public boost::intrusive::list_base_hook<>, private routing::Exchange {
 public:
  using Phase = ConnectionPhase;

  /// `context` must outlive this object. Without `tls` the connection uses plain text.
  Connection(ConnectionContext& context, Socket socket, std::unique_ptr<TlsStream> tls);

  /// Serves the connection until it is closed. Must be called once.
  boost::asio::awaitable<void> run();

  Phase phase() const noexcept { return stream_.deadline().phase(); }

  /// Ends the current wait for the client if its deadline is not after `now`.
  void check_deadline(Clock::time_point now) noexcept;

  /// Prepares for the end of the server: the response to the requests that have arrived is the last one. A client that
  /// has only just connected, or has just received a response, has a short time for a request that may be on its way.
  void begin_drain() noexcept;

  /// Closes the socket; all waits for it fail.
  void cut() noexcept;

 private:
  // Exchange
  routing::Output& output() override { return sender_.output(); }
  boost::asio::awaitable<bool> flush() override { return sender_.flush(); }
  void begin_stream() noexcept override { sender_.begin_stream(); }
  void set_expansion(double factor) noexcept override { sender_.set_expansion(factor); }
  bool streaming() const noexcept override { return sender_.streaming(); }
  void close_after() noexcept override { last_ = true; }
  void abort() noexcept override { sender_.abort(); }
  std::string_view request_id(routing::Request const& request) override;

  boost::asio::awaitable<bool> secure();
  boost::asio::awaitable<void> end(ByteStream::Status received);
  boost::asio::awaitable<void> linger();
  boost::asio::awaitable<bool> answer_buffered();
  ReadResult read_head(routing::Request& request);
  void remember_fields(routing::Request const& request, ReadResult const& head);
  bool more_behind(ReadResult const& head) const noexcept;
  void discard_body() noexcept;
  void await_request() noexcept;
  void begin_batch(routing::Moment& moment) noexcept;
  void refuse(routing::HttpError const& error, routing::Method method);
  void finish_request(routing::Request const& request, ReadResult const& head, unsigned status,
                      routing::RouteLabel route);
  void begin_access_entry(Clock::time_point now) noexcept;
  void log_access(routing::Request const& request, unsigned status, std::string_view subject,
                  std::optional<auth::Refusal> refusal = std::nullopt);
  void enter(Phase phase, Clock::duration limit, Clock::time_point now = Clock::now()) noexcept {
    stream_.deadline().enter(phase, now + limit);
  }

  ConnectionContext& context_;
  ByteStream stream_;
  InputBuffer input_;
  ResponseSender sender_;
  std::uint64_t body_left_ = 0;  // remaining bytes of a body, to be discarded

  std::shared_ptr<KnownFields const> known_fields_;  // of the previous requests
  std::uint64_t fields_hash_ = 0;                    // of the field lines that were parsed last

  bool last_ = false;     // close after sending the output
  bool refused_ = false;  // the client may still be sending bytes that are discarded
  bool fresh_ = true;     // nothing has been received yet
  bool draining_ = false;

  // Of the current request.
  std::string request_id_;  // empty until it is needed

  // The same for the access log.
  Clock::time_point answering_since_;
  std::uint64_t bytes_before_ = 0;  // of the previous responses

  routing::RequestBatch batch_;  // answered since the output was last empty
  std::string remote_;           // for the access log
};

}  // namespace deployd::server
