#include "bench/connection.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cstring>

namespace deployd::bench {
namespace {

constexpr std::size_t buffer_size = std::size_t{64} << 10;
constexpr auto pause_after_failure = std::chrono::milliseconds(10);
// A request that is sent this long after it was due is late even if connections were free.
constexpr auto lateness = std::chrono::milliseconds(1);
using TlsStatus = server::TlsStream::Status;

constexpr auto awaited = boost::asio::as_tuple(boost::asio::deferred);

// Errors of TLS beside those of sockets: received bytes cannot be decrypted, or are an alert.
boost::system::error_code const unreadable_record = make_error_code(boost::system::errc::protocol_error);

}  // namespace

Connection::Connection(ThreadRun& thread)
    : thread_(thread),
      socket_(thread.context.get_executor()),
      in_flight_(thread.options.pipeline),
      in_(std::make_unique_for_overwrite<char[]>(buffer_size)) {}

boost::asio::awaitable<void> Connection::run() {
  boost::asio::steady_timer pause(thread_.context.get_executor());
  while (!abandoned_) {
    if (thread_.options.new_connections) take_ahead(Clock::now());
    if (in_flight_.empty() && thread_.schedule->over(Clock::now())) break;
    bool const connected = co_await connect();
    if (connected) co_await exchange();
    close();
    if (connected && answered_) continue;
    pause.expires_after(pause_after_failure);
    co_await pause.async_wait(awaited);
  }
}

// With --new-connections, connections that the server leaves open are reset: an orderly close would use up the local
// ports.
void Connection::close() {
  boost::system::error_code ignored;
  if (connected_ && thread_.options.new_connections && head_.keep_alive)
    socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  connected_ = false;
  if (tls_) tls_->close();  // OpenSSL does not resume a session that was only freed
  tls_.reset();
  socket_.close(ignored);
}

boost::asio::awaitable<bool> Connection::connect() {
  connecting_since_ = Clock::now();
  connecting_ = true;
  auto [error] = co_await socket_.async_connect(thread_.endpoint, awaited);
  std::optional<Fault> fault;
  if (error) {
    fault = connect_fault(error);
  } else {
    socket_.set_option(boost::asio::ip::tcp::no_delay(true), error);
    socket_.non_blocking(true, error);
  }
  if (!fault && thread_.tls) fault = co_await secure();
  connecting_ = false;
  if (fault) {
    if (abandoned_) co_return false;
    auto const now = Clock::now();
    // A request that is due has no connection, which is counted as its outcome.
    take_ahead(now);
    fail(*fault, now);
    // A server that is gone for as long as a response may take will not return during this run.
    if (now - thread_.last_answer > thread_.options.timeout) {
      thread_.gave_up = true;
      thread_.schedule->close(now);
      thread_.schedule->stop();
    }
    co_return false;
  }
  connected_ = true;
  answered_ = false;
  co_return true;
}

// Performs the handshake. Returns what failed, if anything.
boost::asio::awaitable<std::optional<Fault>> Connection::secure() {
  tls_ = thread_.tls->connect(socket_.native_handle(), session_);
  auto fault = co_await shake_hands(socket_, *tls_);
  if (!fault && Clock::now() >= thread_.window.counted_from) {
    ++thread_.tally.handshakes;
    if (tls_->is_resumed()) ++thread_.tally.resumed;
  }
  co_return fault;
}

// Receives and decrypts at least one byte.
boost::asio::awaitable<boost::system::error_code> Connection::receive_secured(std::size_t& size) {
  while (true) {
    if (tls_->has_buffered()) {
      auto const got = tls_->read(boost::asio::buffer(in_.get() + end_, buffer_size - end_));
      size = got.bytes;
      if (got.status == TlsStatus::done) co_return boost::system::error_code();
      if (got.status == TlsStatus::ended) co_return boost::asio::error::eof;
      if (got.status == TlsStatus::failed) co_return unreadable_record;
    }
    auto const [error, count] = co_await socket_.async_read_some(tls_->room(), awaited);
    // An end without a close_notify is a truncation.
    if (error == boost::asio::error::eof) co_return boost::asio::error::connection_reset;
    if (error) co_return error;
    tls_->arrived(count);
  }
}

// Takes a request before a connection exists to send it on. Its time is measured from now.
void Connection::take_ahead(Clock::time_point now) {
  if (!in_flight_.empty()) return;
  if (auto const ticket = thread_.schedule->take(now)) in_flight_.push_back({*ticket, now});
}

boost::asio::awaitable<void> Connection::exchange() {
  begin_ = end_ = 0;
  in_body_ = false;
  out_.clear();
  resend();
  pump(Clock::now(), thread_.options.pipeline);
  while (true) {
    if (in_flight_.empty() && thread_.schedule->over(Clock::now())) co_return;
    make_room();
    boost::system::error_code error;
    std::size_t size = 0;
    if (tls_) {
      error = co_await receive_secured(size);
    } else {
      auto const room = boost::asio::buffer(in_.get() + end_, buffer_size - end_);
      auto const [outcome, count] = co_await socket_.async_read_some(room, awaited);
      error = outcome;
      size = count;
    }
    auto const now = Clock::now();
    if (error) {
      if (abandoned_) co_return;
      if (error == boost::asio::error::eof && in_body_ && head_.framing == Framing::until_close) {
        answered(now, pieces_.finish(thread_.body_check), answer_bytes_);
      } else {
        fail(error == unreadable_record ? Fault{Failure::tls, tls_->reason()} : transfer_fault(error), now);
      }
      co_return;
    }
    end_ += size;
    if (!consume(now)) co_return;
    pump(now, thread_.options.pipeline);
  }
}

bool Connection::goes_on() const noexcept {
  return head_.keep_alive && !thread_.options.new_connections;
}

void Connection::wait_for_request() {
  if (!thread_.options.rate || listed_ || !has_room()) return;
  listed_ = true;
  thread_.waiting.push_back(this);
}

void Connection::wait_again() {
  listed_ = false;
  wait_for_request();
}

bool Connection::has_room() const noexcept {
  return connected_ && !in_flight_.full();
}

// Sends requests again that the server announced not to answer, by closing (RFC 9112 §9.3.2).
void Connection::resend() {
  for (auto const& sent : in_flight_) append_request(sent.ticket.index);
}

void Connection::pump(Clock::time_point now, unsigned most) {
  for (; most > 0 && !in_flight_.full(); --most) {
    auto const ticket = thread_.schedule->take(now);
    if (!ticket) break;
    if (ticket->counted && is_late(*ticket, now)) ++thread_.tally.late;
    in_flight_.push_back({*ticket, now});
    append_request(ticket->index);
  }
  if (!out_.empty()) flush();
  if (!in_flight_.full()) wait_for_request();
}

// In an open loop, true if no connection was free for the request when it was due, or the generator was late.
bool Connection::is_late(Ticket const& ticket, Clock::time_point now) const noexcept {
  return thread_.options.rate && (now - ticket.due > lateness || (ticket.due < now && thread_.waiting.empty()));
}

void Connection::append_request(std::uint64_t index) {
  out_ += "GET ";
  thread_.options.url.target.append_to(out_, index);
  out_ += thread_.after_target;
}

// Sends at once and, if the kernel's buffer is full, again after the next response or sweep. Errors show up when
// reading.
void Connection::flush() {
  if (tls_) return flush_secured();
  auto const sent = ::send(socket_.native_handle(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent > 0) out_.erase(0, static_cast<std::size_t>(sent));
}

void Connection::flush_secured() {
  while (!out_.empty()) {
    auto const sent = tls_->write(out_);
    if (sent.status != TlsStatus::done) return;
    out_.erase(0, sent.bytes);
  }
}

void Connection::make_room() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (end_ > buffer_size / 2) {
    std::memmove(in_.get(), in_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
}

// Returns false if the connection can no longer be used.
bool Connection::consume(Clock::time_point now) {
  while (begin_ != end_) {
    if (in_body_) {
      if (!consume_body(now)) return false;
      if (in_body_) return true;
      continue;
    }
    auto const bytes = unread();
    auto const result = parse_head(bytes, head_);
    if (result == ParseResult::incomplete && bytes.size() < buffer_size / 2) return true;
    if (result != ParseResult::complete || in_flight_.empty() || head_.status == 101) {
      fail({Failure::malformed, {}}, now);
      return false;
    }
    begin_ += head_.size;
    if (head_.status < 200) continue;
    answer_bytes_ = head_.size;
    if (head_.framing == Framing::length && head_.content_length <= end_ - begin_) {
      auto const body = unread().substr(0, static_cast<std::size_t>(head_.content_length));
      begin_ += body.size();
      answered(now, thread_.body_check.whole(body, head_.json), head_.size + body.size());
      if (!goes_on()) return false;
      continue;
    }
    in_body_ = true;
    body_left_ = head_.content_length;
    pieces_.begin(head_.json);
  }
  return true;
}

// Consumes the received part of a body that has not arrived completely. Returns false if the connection can no longer
// be used.
bool Connection::consume_body(Clock::time_point now) {
  auto& check = thread_.body_check;
  bool complete = false;
  if (head_.framing == Framing::chunked) {
    while (true) {
      auto const step = chunks_.next(unread());
      if (step.result == ParseResult::malformed) {
        chunks_.reset();
        fail({Failure::malformed, {}}, now);
        return false;
      }
      begin_ += step.consumed;
      answer_bytes_ += step.consumed;
      pieces_.add(step.data, check);
      complete = step.result == ParseResult::complete;
      if (complete || step.consumed == 0 || begin_ == end_) break;
    }
  } else {
    auto piece = unread();
    if (head_.framing == Framing::length) {
      piece = piece.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), body_left_)));
      body_left_ -= piece.size();
      complete = body_left_ == 0;
    }
    pieces_.add(piece, check);
    begin_ += piece.size();
    answer_bytes_ += piece.size();
  }
  if (!complete) return true;
  in_body_ = false;
  answered(now, pieces_.finish(check), answer_bytes_);
  return goes_on();
}

void Connection::answered(Clock::time_point now, std::optional<Failure> wrong_body, std::uint64_t bytes) {
  auto const sent = in_flight_.front();
  in_flight_.pop_front();
  in_body_ = false;
  answered_ = true;
  thread_.last_answer = now;
  if (!sent.ticket.counted) return;
  auto& tally = thread_.tally;
  auto const latency = now - sent.ticket.due;
  auto const at = now - thread_.window.counted_from;
  if (head_.status == thread_.options.overload_status) {
    tally.overload.record(latency);
  } else if (head_.status == thread_.options.expect_status && !wrong_body) {
    ++tally.right;
    tally.bytes += bytes;
    tally.latency.record(latency);
    tally.service.record(now - sent.at);
    thread_.series.right(at, latency);
  } else {
    if (head_.status != thread_.options.expect_status)
      ++tally.wrong_status[head_.status % 1000];
    else
      tally.count(*wrong_body);
    thread_.series.error(at);
  }
}

void Connection::fail(Fault const& fault, Clock::time_point now) {
  for (auto const& sent : in_flight_) {
    if (!sent.ticket.counted) continue;
    thread_.tally.count(fault.kind, fault.reason);
    thread_.series.error(now - thread_.window.counted_from);
  }
  in_flight_.clear();
}

void Connection::sweep(Clock::time_point now) {
  boost::system::error_code ignored;
  if (connecting_ && now - connecting_since_ > thread_.options.timeout) socket_.cancel(ignored);
  if (!connected_) return;
  if (!out_.empty()) flush();
  if (in_flight_.empty()) {
    if (thread_.schedule->over(now)) abandon();
  } else if (now - in_flight_.front().at > thread_.options.timeout) {
    socket_.cancel(ignored);
  }
}

void Connection::abandon() {
  abandoned_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

}  // namespace deployd::bench
