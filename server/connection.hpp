// One client's connection.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/intrusive/list_hook.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "routing/output.hpp"
#include "routing/request.hpp"
#include "routing/request_metrics.hpp"
#include "server/connection_phase.hpp"
#include "server/known_fields.hpp"
#include "server/request_reader.hpp"
#include "server/tls_handshake.hpp"
#include "server/tls_stream.hpp"

namespace deployd::server {

class Worker;

using Clock = std::chrono::steady_clock;
using Socket = boost::asio::generic::stream_protocol::socket;

/// Reads requests off a socket, has them answered in order, and sends the answers. Lives on its worker's thread.
///
/// Deadlines are kept here and enforced by the worker, which sweeps over its connections and calls `expire`. Between
/// requests a connection holds neither a buffer (beyond the small one of its own) nor an output.
class Connection final : public boost::intrusive::list_base_hook<>, private routing::Exchange {
 public:
  using Phase = ConnectionPhase;

  /// `worker` must outlive this. Without `tls` the socket is spoken to in plain text.
  Connection(Worker& worker, Socket socket, std::unique_ptr<TlsStream> tls);
  ~Connection();

  /// The life of the connection; ends when it is closed. Called once.
  boost::asio::awaitable<void> run();

  /// When `expire` is to be called; the end of time while nothing is awaited of the client.
  Clock::time_point deadline() const noexcept { return deadline_; }

  Phase phase() const noexcept { return phase_; }

  /// The client has let the deadline pass: what it is waited for is given up.
  void expire() noexcept;

  /// The server is about to stop: the answer to what has arrived is the last. A client that has only just connected, or
  /// been answered, has a moment left for a request that may be on its way.
  void begin_drain() noexcept;

  /// Closes the socket; everything awaited of it fails.
  void cut() noexcept;

 private:
  enum class Sent { all, part, failed };

  // Exchange
  routing::Output& output() noexcept override { return *output_; }
  boost::asio::awaitable<bool> flush() override;
  void begin_stream() noexcept override;
  bool streaming() const noexcept override { return stream_deadline_ != Clock::time_point::max(); }
  void close_after() noexcept override { last_ = true; }
  void abort() noexcept override;
  void note(unsigned status, std::string_view subject) noexcept override;
  void note_refusal(auth::Refusal why) noexcept override { refusal_ = why; }
  std::string_view request_id(routing::Request const& request) override;
  void note_route(routing::RouteLabel route) noexcept override { route_ = route; }

  std::string_view unread() const noexcept { return {buffer_ + begin_, end_ - begin_}; }
  /// Whether the server stops and nothing is awaited here any more.
  bool leaving() const noexcept { return draining_ && phase_ == Phase::idle && expired_ && !broken_; }
  bool more_behind(ReadResult const& head) const noexcept;
  std::size_t receive_at_once(boost::asio::mutable_buffer room) noexcept;
  boost::asio::awaitable<std::size_t> receive_secured(boost::asio::mutable_buffer room);
  boost::asio::awaitable<bool> secure();
  boost::asio::awaitable<TlsHandshake> shake_hands();
  boost::asio::awaitable<void> refuse_plain_text();
  bool worth_parsing() noexcept;
  ReadResult read_head(routing::Request& request);
  void remember_fields(routing::Request const& request, ReadResult const& head);
  bool make_room();
  void consume(std::size_t bytes) noexcept;
  void discard_body() noexcept;
  void give_back() noexcept;
  void begin_batch(routing::Moment& moment) noexcept;
  void end_batch(Clock::time_point now) noexcept;
  void refuse(routing::HttpError const& error, routing::Method method);
  void finish_request(routing::Request const& request, ReadResult const& head);
  void begin_access_entry(Clock::time_point now) noexcept;
  void log_access(routing::Request const& request);
  std::uint64_t bytes_of_answers() const noexcept;
  Sent send_output() noexcept;
  Sent send_secured() noexcept;
  std::span<char const> next_record() noexcept;
  void note_sent(std::size_t bytes) noexcept;
  void wait_for_reader() noexcept;
  bool reads_on() noexcept;
  void enter(Phase phase, Clock::duration limit) noexcept;
  void enter(Phase phase, Clock::duration limit, Clock::time_point now) noexcept;
  boost::asio::awaitable<bool> answer_buffered();
  boost::asio::awaitable<void> linger();

  Worker& worker_;
  Socket socket_;
  std::unique_ptr<TlsStream> tls_;  // null: plain text
  Phase phase_ = Phase::idle;
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point stream_deadline_ = Clock::time_point::max();

  // What was read and not used yet: [begin_, end_) of buffer_, which is small_ or large_.
  std::array<char, 1024> small_;
  std::unique_ptr<char[]> large_;
  char* buffer_ = small_.data();
  std::size_t capacity_ = small_.size();
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t parsed_at_ = 0;     // the size of `unread` when it was last found incomplete
  std::size_t searched_to_ = 0;   // up to where `unread` has been searched for the end of a head since
  std::uint64_t to_discard_ = 0;  // bytes of a body still to come

  std::shared_ptr<KnownFields const> known_fields_;  // that the last requests came with
  std::uint64_t fields_hash_ = 0;                    // of the field lines that were parsed last

  std::unique_ptr<routing::Output> output_;  // borrowed from the worker while there are answers to be sent
  std::size_t sent_ = 0;                     // of output_->bytes
  int held_ = 0;                             // bytes that the kernel held for a slow client when last looked at
  Clock::time_point read_by_;                // when such a client is given up, unless it has read some of them
  bool last_ = false;                        // close after what stands in the output
  bool refused_ = false;                     // the client may still be sending what nobody will read
  bool fresh_ = true;                        // nothing has been received yet
  bool expired_ = false;
  bool draining_ = false;
  bool broken_ = false;

  routing::RequestBatch batch_;  // what has been answered since the output was last empty
  routing::RouteLabel route_ = routing::no_route;
  unsigned status_ = 0;

  std::string request_id_;  // of the request that is being answered; empty while nobody has asked for it

  // For the access log: of the request that is being answered, and of the connection.
  std::string subject_;
  std::optional<auth::Refusal> refusal_;
  Clock::time_point answering_since_;
  std::uint64_t bytes_before_ = 0;  // of the answers before it
  std::uint64_t sent_in_all_ = 0;
  std::string remote_;
};

}  // namespace deployd::server
