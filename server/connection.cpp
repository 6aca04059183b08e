#include "server/connection.hpp"

#include <linux/sockios.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "routing/request_id.hpp"
#include "routing/trace_context.hpp"
#include "server/access_log.hpp"
#include "server/reset_on_close.hpp"
#include "server/worker.hpp"

namespace deployd::server {

using boost::asio::awaitable;

namespace {

constexpr auto without_exceptions = boost::asio::as_tuple(boost::asio::deferred);

// How long, and for how many bytes, a client that was refused may go on sending before the connection is closed. Closed
// at once, the kernel would answer what it sends with a reset, which may destroy the answer on its way.
constexpr std::chrono::seconds linger_time{2};
constexpr std::size_t linger_bytes = 1024 * 1024;

// How long a client that had connected before the server began to stop may take to send its first request.
constexpr std::chrono::seconds first_request_time{1};

// A client that has been silent for so long is not about to send a request. Until then one may be on its way, and is
// answered rather than met by a closed connection.
constexpr std::chrono::seconds quiet_time{1};

// How often, within --write-timeout, a client that has not taken its answer is looked at.
constexpr int looks_at_reader = 4;

/// What has been sent on the socket and not been received by the other side.
int held_bytes(int socket) noexcept {
  int bytes = 0;
  ::ioctl(socket, SIOCOUTQ, &bytes);
  return bytes;
}

}  // namespace

Connection::Connection(Worker& worker, Socket socket, std::unique_ptr<TlsStream> tls)
    : worker_(worker), socket_(std::move(socket)), tls_(std::move(tls)) {
  if (worker_.options().access_log != AccessLog::off) remote_ = remote_address(socket_.native_handle());
}

Connection::~Connection() {
  if (output_) worker_.give_back(std::move(output_));
  if (large_) worker_.give_back(std::move(large_));
}

awaitable<void> Connection::run() {
  bool ready = true;
  if (tls_) ready = co_await secure();
  while (ready) {
    bool const go_on = co_await answer_buffered();
    if (!go_on) break;
    if (!make_room()) break;
    auto const room = boost::asio::buffer(buffer_ + end_, capacity_ - end_);
    std::size_t received = 0;
    bool ended = false;
    if (tls_) {
      received = co_await receive_secured(room);
      ended = received == 0;
    } else if (!leaving()) {
      auto const [failure, count] = co_await socket_.async_read_some(room, without_exceptions);
      received = count;
      ended = failure && !leaving();
    }
    if (received == 0 && !ended) received = receive_at_once(room);
    if (received == 0) {
      if (!expired_ || phase_ != Phase::head || to_discard_ != 0) break;
      refuse({408, "The request did not arrive in time"}, method_begun(unread()));
      co_await flush();
      break;
    }
    expired_ = false;
    fresh_ = false;
    end_ += received;
    worker_.metrics().bytes_received.add(received);
  }
  if (tls_ && !broken_) tls_->close();
  if (!batch_.empty()) end_batch(Clock::now());
  if (!broken_ && (refused_ || to_discard_ != 0)) co_await linger();
}

/// What has arrived already, without waiting: a client may have sent a request before the server began to stop.
std::size_t Connection::receive_at_once(boost::asio::mutable_buffer room) noexcept {
  auto const received = ::recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT);
  return received > 0 ? static_cast<std::size_t>(received) : 0;
}

/// The handshake, which has a deadline of its own. False when nothing can be served after it.
awaitable<bool> Connection::secure() {
  enter(Phase::handshake, worker_.options().header_timeout);
  auto const result = co_await shake_hands();
  worker_.metrics().tls_handshakes[static_cast<std::size_t>(result)].add();
  if (result == TlsHandshake::plain_text) co_await refuse_plain_text();
  if (result == TlsHandshake::failed) {
    spdlog::debug("no TLS with a client: {}", tls_->reason());
    refused_ = true;  // it may still be sending, and is to see the alert
  }
  co_return result == TlsHandshake::full || result == TlsHandshake::resumed;
}

awaitable<TlsHandshake> Connection::shake_hands() {
  auto status = TlsStream::Status::wants_bytes;
  for (bool first = true; status == TlsStream::Status::wants_bytes || status == TlsStream::Status::wants_to_send;
       first = false) {
    if (status == TlsStream::Status::wants_to_send) {
      auto const [failure] = co_await socket_.async_wait(Socket::wait_write, without_exceptions);
      if (failure) co_return TlsHandshake::abandoned;
    } else {
      auto const room = tls_->room();
      auto const [failure, count] = co_await socket_.async_read_some(room, without_exceptions);
      if (failure) co_return TlsHandshake::abandoned;
      tls_->arrived(count);
    }
    if (first && !tls_->plain_text().empty()) co_return TlsHandshake::plain_text;
    status = tls_->handshake();
  }
  if (status != TlsStream::Status::done) co_return TlsHandshake::failed;
  co_return tls_->is_resumed() ? TlsHandshake::resumed : TlsHandshake::full;
}

/// A client that does not know that TLS is spoken here is told so in the only way that it understands.
awaitable<void> Connection::refuse_plain_text() {
  auto const method = method_begun(tls_->plain_text());
  tls_.reset();
  refuse({400, "This address takes HTTPS only; the request came as plain HTTP"}, method);
  co_await flush();
}

/// Receives and decrypts at least one byte of requests; 0 when there will be none.
awaitable<std::size_t> Connection::receive_secured(boost::asio::mutable_buffer room) {
  while (true) {
    auto status = TlsStream::Status::wants_bytes;
    if (tls_->has_buffered()) {
      auto const got = tls_->read(room);
      if (got.bytes != 0) co_return got.bytes;
      status = got.status;
    }
    if (status == TlsStream::Status::wants_to_send) {
      auto const [failure] = co_await socket_.async_wait(Socket::wait_write, without_exceptions);
      if (failure) co_return 0;
      continue;
    }
    if (status == TlsStream::Status::failed) {
      spdlog::debug("TLS with a client has failed: {}", tls_->reason());
      refused_ = true;
    }
    if (status != TlsStream::Status::wants_bytes) co_return 0;

    if (phase_ == Phase::idle && tls_->has_part()) enter(Phase::head, worker_.options().header_timeout);
    auto const cipher = tls_->room();
    std::size_t received = 0;
    if (!leaving()) {
      auto const [failure, count] = co_await socket_.async_read_some(cipher, without_exceptions);
      received = count;
      if (failure && !leaving()) co_return 0;
    }
    if (received == 0) received = receive_at_once(cipher);
    if (received == 0) co_return 0;
    expired_ = false;
    tls_->arrived(received);
  }
}

/// Answers every request that stands whole in the buffer, and sends the answers. False when that was the end.
awaitable<bool> Connection::answer_buffered() {
  routing::Request request;
  routing::Moment moment;
  while (true) {
    discard_body();
    bool whole = false;
    while (!last_ && to_discard_ == 0 && worth_parsing()) {
      auto const head = read_head(request);
      whole = head.state == ReadResult::State::complete;
      if (head.state == ReadResult::State::incomplete) {
        parsed_at_ = end_ - begin_;
        break;
      }
      if (!output_) output_ = worker_.borrow_output();
      if (head.state == ReadResult::State::refused) {
        refuse(head.error, head.method);
        break;
      }
      enter(Phase::answering, Clock::duration::max());
      if (draining_ && !more_behind(head)) request.keep_alive = false;
      bool const first_of_batch = output_->empty();
      if (first_of_batch) begin_batch(moment);
      if (worker_.options().access_log != AccessLog::off) begin_access_entry(moment.steady);
      auto const warm = worker_.api().answer_warm(request, moment, *output_);
      status_ = warm.status;
      route_ = warm.route;
      if (status_ == 0) {
        request_id_.clear();
        if (first_of_batch) {
          auto const refused = worker_.api().answer_overload(request, moment, *output_);
          status_ = refused.status;
          route_ = refused.route;
        }
        if (status_ == 0) {
          co_await worker_.api().answer(request, moment, *this);
          moment = worker_.moment();
        }
      } else if (worker_.options().access_log != AccessLog::off) {
        subject_ = warm.identity->subject;
      }
      finish_request(request, head);
      if (!output_->accepts_more()) break;
    }
    if (output_ && !output_->empty()) {
      auto const sent = broken_ ? Sent::failed : send_output();
      if (sent == Sent::failed) co_return false;
      if (sent == Sent::part) {
        bool const flushed = co_await flush();
        if (!flushed) co_return false;
      }
    }
    if (last_ || broken_) co_return false;
    if (!whole) break;
    whole = false;
  }
  give_back();
  co_return true;
}

/// Whether the buffer may hold a whole head: true for what is new, and for what was incomplete when its end has arrived
/// or it has doubled since, so that a client that sends byte by byte does not make us parse as often.
bool Connection::worth_parsing() noexcept {
  auto const bytes = unread();
  if (bytes.empty()) return false;
  if (parsed_at_ == 0 || bytes.size() >= 2 * parsed_at_ || bytes.size() >= worker_.buffer_size() - 1) return true;
  auto const searched = std::max(parsed_at_, std::exchange(searched_to_, bytes.size()));
  auto const from = searched > 3 ? searched - 3 : 0;
  return bytes.find("\r\n\r\n", from) != std::string_view::npos;
}

/// The next head in the buffer. Fields that are those of the request before are not parsed again.
ReadResult Connection::read_head(routing::Request& request) {
  if (known_fields_) {
    if (auto const known = read_known_head(unread(), *known_fields_, worker_.head_limits(), request)) return *known;
  }
  auto head = read_request_head(unread(), worker_.head_limits(), request);
  if (head.state == ReadResult::State::complete) remember_fields(request, head);
  return head;
}

/// Remembers the fields of a request once they have come twice, so that clients that send others each time make no
/// work.
void Connection::remember_fields(routing::Request const& request, ReadResult const& head) {
  auto const lines = unread().substr(head.fields_at, head.head_bytes - head.fields_at);
  bool const plain = request.http_1_1 && head.content_length == 0;
  if (!plain || lines.size() > KnownFieldsTable::longest) return;
  auto const hash = worker_.known_fields().hash_of(lines);
  if (std::exchange(fields_hash_, hash) == hash) known_fields_ = worker_.known_fields().remember(lines, hash, request);
}

/// Sees to it that there is room behind what was not used yet. False when a head does not fit, which the limits rule
/// out.
bool Connection::make_room() {
  if (begin_ != 0) {
    std::memmove(buffer_, buffer_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ < capacity_) return true;
  if (large_) return false;
  large_ = worker_.borrow_buffer();
  std::memcpy(large_.get(), buffer_, end_);
  buffer_ = large_.get();
  capacity_ = worker_.buffer_size();
  return true;
}

void Connection::consume(std::size_t bytes) noexcept {
  begin_ += bytes;
  parsed_at_ = searched_to_ = 0;
  if (begin_ == end_) begin_ = end_ = 0;
}

/// Whether what was read goes on after this request: the beginning of another, sent before its answer.
bool Connection::more_behind(ReadResult const& head) const noexcept {
  return unread().size() > head.head_bytes && unread().size() - head.head_bytes > head.content_length;
}

void Connection::discard_body() noexcept {
  auto const here = std::min<std::uint64_t>(to_discard_, end_ - begin_);
  if (here == 0) return;
  consume(static_cast<std::size_t>(here));
  to_discard_ -= here;
}

/// Between requests: returns what was borrowed and starts the clock for what is awaited.
void Connection::give_back() noexcept {
  if (output_) worker_.give_back(std::move(output_));
  if (begin_ != end_ || to_discard_ != 0) {
    if (phase_ == Phase::head) return;
    auto const now = Clock::now();
    if (!batch_.empty()) end_batch(now);
    return enter(Phase::head, worker_.options().header_timeout, now);
  }
  auto const now = Clock::now();
  if (!batch_.empty()) batch_.end(now);
  enter(Phase::idle, draining_ ? first_request_time : worker_.options().idle_timeout, now);
  if (large_) {
    buffer_ = small_.data();
    capacity_ = small_.size();
    worker_.give_back(std::move(large_));
  }
}

/// Where no answer waits to be sent: those from here on are sent together. What was sent before is over by now.
void Connection::begin_batch(routing::Moment& moment) noexcept {
  moment = worker_.moment();
  if (!batch_.empty()) end_batch(moment.steady);
  batch_.begin(moment.steady);
}

void Connection::end_batch(Clock::time_point now) noexcept {
  batch_.end(now);
}

void Connection::refuse(routing::HttpError const& error, routing::Method method) {
  if (!output_) output_ = worker_.borrow_output();
  auto const moment = worker_.moment();
  if (worker_.options().access_log != AccessLog::off) begin_access_entry(moment.steady);
  worker_.api().answer_bad_framing(error, method, moment, *output_);
  last_ = true;
  refused_ = true;
  status_ = error.status;
  if (worker_.options().access_log != AccessLog::off) log_access({});
}

void Connection::finish_request(routing::Request const& request, ReadResult const& head) {
  auto const kind = routing::kind_of(route_, request.method, status_);
  if (!batch_.takes(kind)) {
    if (!batch_.empty()) end_batch(Clock::now());
    batch_.turn_to(route_, request.method, status_, worker_.api().metrics());
  }
  batch_.add();
  if (worker_.options().access_log != AccessLog::off) log_access(request);
  stream_deadline_ = Clock::time_point::max();
  if (!request.keep_alive) last_ = true;
  consume(head.head_bytes);
  to_discard_ = head.content_length;
  discard_body();
}

void Connection::begin_access_entry(Clock::time_point now) noexcept {
  answering_since_ = now;
  bytes_before_ = bytes_of_answers();
}

void Connection::log_access(routing::Request const& request) {
  auto const moment = worker_.moment();
  append_access_line(worker_.access_log(), worker_.options().access_log,
                     {.time = moment.now,
                      .remote = remote_,
                      .method = request.method_name,
                      .target = request.target,
                      .status = status_,
                      .subject = subject_,
                      .reason = refusal_ ? auth::to_string(*refusal_) : std::string_view(),
                      .duration = moment.steady - answering_since_,
                      .bytes_sent = bytes_of_answers() - bytes_before_,
                      .user_agent = routing::find_field(request, "User-Agent").value,
                      .request_id = request_id(request),
                      .trace = routing::trace_context(request)});
  refusal_.reset();
  subject_.clear();
  request_id_.clear();
}

std::string_view Connection::request_id(routing::Request const& request) {
  if (request_id_.empty()) request_id_ = routing::client_request_id(request);
  if (request_id_.empty()) worker_.request_ids().append_next(request_id_);
  return request_id_;
}

/// The bytes of all answers so far, sent or waiting to be.
std::uint64_t Connection::bytes_of_answers() const noexcept {
  auto waiting = output_->bytes.size() - sent_;
  if (output_->tail) waiting += output_->tail->size() - output_->tail_offset;
  return sent_in_all_ + waiting;
}

/// Sends as much as the kernel takes at once.
Connection::Sent Connection::send_output() noexcept {
  if (tls_) return send_secured();
  while (true) {
    auto& out = *output_;
    std::array<iovec, 2> pieces{};
    std::size_t count = 0;
    std::size_t left = 0;
    auto const add = [&](char const* data, std::size_t size) {
      if (size == 0) return;
      pieces[count++] = {const_cast<char*>(data), size};
      left += size;
    };
    add(out.bytes.data() + sent_, out.bytes.size() - sent_);
    if (out.tail) add(out.tail->data() + out.tail_offset, out.tail->size() - out.tail_offset);

    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    // One piece alone spares the kernel the copy of the vector.
    auto const written = count == 1 ? ::send(socket_.native_handle(), pieces[0].iov_base, pieces[0].iov_len, flags)
                                    : ::sendmsg(socket_.native_handle(), &message, flags);
    if (written < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return Sent::part;
      broken_ = true;
      return Sent::failed;
    }
    auto const sent = static_cast<std::size_t>(written);
    worker_.metrics().bytes_sent.add(sent);
    sent_in_all_ += sent;
    if (sent == left) {
      out.clear();
      sent_ = 0;
      return Sent::all;
    }
    note_sent(sent);
  }
}

/// The same through TLS.
Connection::Sent Connection::send_secured() noexcept {
  while (true) {
    auto const record = next_record();
    if (record.empty()) {
      output_->clear();
      sent_ = 0;
      return Sent::all;
    }
    auto const sent = tls_->write(record);
    if (sent.status == TlsStream::Status::wants_to_send) return Sent::part;
    if (sent.status != TlsStream::Status::done) {
      broken_ = true;
      return Sent::failed;
    }
    worker_.metrics().bytes_sent.add(sent.bytes);
    sent_in_all_ += sent.bytes;
    note_sent(sent.bytes);
  }
}

/// What to encrypt next. The end of the bytes and the beginning of the tail go together, so that an answer that fits
/// into one record is one.
std::span<char const> Connection::next_record() noexcept {
  auto const& out = *output_;
  auto const bytes = std::span<char const>(out.bytes).subspan(sent_);
  if (!out.tail || bytes.size() >= TlsStream::record_bytes) return bytes;
  auto const tail = std::span<char const>(*out.tail).subspan(out.tail_offset);
  if (bytes.empty()) return tail;
  auto const room = worker_.record_room();
  auto const of_tail = tail.first(std::min(tail.size(), room.size() - bytes.size()));
  std::ranges::copy(bytes, room.begin());
  std::ranges::copy(of_tail, room.begin() + static_cast<std::ptrdiff_t>(bytes.size()));
  return room.first(bytes.size() + of_tail.size());
}

/// Passes over what has been sent of the output.
void Connection::note_sent(std::size_t bytes) noexcept {
  auto& out = *output_;
  auto const of_bytes = std::min(bytes, out.bytes.size() - sent_);
  sent_ += of_bytes;
  out.tail_offset += bytes - of_bytes;
}

/// Gives the client --write-timeout to read. There is room for more only when it has read a third of what the kernel
/// holds for it, which may be megabytes; that it reads at all is seen by looking more often.
void Connection::wait_for_reader() noexcept {
  auto const limit = worker_.options().write_timeout;
  held_ = held_bytes(socket_.native_handle());
  read_by_ = Clock::now() + limit;
  enter(Phase::sending, limit / looks_at_reader);
}

/// Whether a client that leaves no room for more may have more time.
bool Connection::reads_on() noexcept {
  auto const now = Clock::now();
  auto const limit = worker_.options().write_timeout;
  auto const held = held_bytes(socket_.native_handle());
  if (held < held_) read_by_ = now + limit;
  held_ = held;
  if (now >= read_by_ || now >= stream_deadline_) return false;
  enter(Phase::sending, std::min<Clock::duration>(limit / looks_at_reader, read_by_ - now), now);
  return true;
}

awaitable<bool> Connection::flush() {
  auto const phase_before = phase_;
  bool sent_all = false;
  while (!broken_ && !sent_all) {
    auto const sent = send_output();
    sent_all = sent == Sent::all;
    if (sent != Sent::part) continue;
    wait_for_reader();
    auto const [failure] = co_await socket_.async_wait(Socket::wait_write, without_exceptions);
    if (failure || Clock::now() >= stream_deadline_) broken_ = true;
  }
  if (streaming() && (broken_ || Clock::now() >= stream_deadline_)) abort();
  enter(phase_before, Clock::duration::max());
  co_return !broken_;
}

void Connection::begin_stream() noexcept {
  stream_deadline_ = Clock::now() + worker_.options().stream_timeout;
}

void Connection::abort() noexcept {
  // With a reset, so that a client without chunks to count notices too.
  reset_on_close(socket_.native_handle());
  broken_ = true;
}

void Connection::note(unsigned status, std::string_view subject) noexcept {
  if (status != 0) status_ = status;
  if (!subject.empty() && worker_.options().access_log != AccessLog::off) subject_ = subject;
}

/// Reads and throws away what the client still sends, until it has read the answer and closes.
awaitable<void> Connection::linger() {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  enter(Phase::lingering, linger_time);
  for (std::size_t total = 0; total < linger_bytes;) {
    auto [failure, received] = co_await socket_.async_read_some(boost::asio::buffer(small_), without_exceptions);
    if (failure) co_return;
    total += received;
  }
}

void Connection::enter(Phase phase, Clock::duration limit) noexcept {
  enter(phase, limit, limit == Clock::duration::max() ? Clock::time_point() : Clock::now());
}

void Connection::enter(Phase phase, Clock::duration limit, Clock::time_point now) noexcept {
  phase_ = phase;
  deadline_ = limit == Clock::duration::max() ? Clock::time_point::max() : now + limit;
  deadline_ = phase == Phase::sending ? std::min(deadline_, stream_deadline_) : deadline_;
}

void Connection::expire() noexcept {
  if (phase_ == Phase::sending && reads_on()) return;
  expired_ = true;
  deadline_ = Clock::time_point::max();
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Connection::begin_drain() noexcept {
  draining_ = true;
  if (phase_ == Phase::handshake) deadline_ = std::min(deadline_, Clock::now() + first_request_time);
  if (phase_ != Phase::idle) return;
  if (fresh_) return enter(Phase::idle, first_request_time);
  auto const silent_since = deadline_ - worker_.options().idle_timeout;
  deadline_ = std::min(deadline_, silent_since + quiet_time);
  if (deadline_ <= Clock::now()) expire();
}

void Connection::cut() noexcept {
  if (streaming()) abort();
  broken_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace deployd::server
