#include "server/http/connection.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "routing/request_id.hpp"
#include "routing/trace_context.hpp"
#include "server/log/access_log.hpp"

namespace deployd::server {

using boost::asio::awaitable;
using Status = ByteStream::Status;

namespace {

// How long, and for how many bytes, a refused client may continue to send before the connection is closed. If it were
// closed at once, the kernel would answer further bytes with a reset, which may destroy the response on its way.
constexpr std::chrono::seconds linger_time{2};
constexpr std::size_t linger_bytes = 1024 * 1024;

// How long a client that connected before the server began to stop may take to send its first request.
constexpr std::chrono::seconds first_request_time{1};

// A client that has been silent for this long is unlikely to be sending a request. Until then a request may be on its
// way, and should be answered instead of finding a closed connection.
constexpr std::chrono::seconds quiet_time{1};

bool must_wait(Status status) noexcept {
  return status == Status::wants_bytes || status == Status::wants_to_send;
}

}  // namespace

Connection::Connection(ConnectionContext& context, Socket socket, std::unique_ptr<TlsStream> tls)
    : context_(context),
      stream_(std::move(socket), std::move(tls), context.record_room),
      input_(context.buffers),
      sender_(stream_, context.outputs, context.reader_limits, context.metrics.bytes_sent) {
  if (context_.access_log.enabled()) remote_ = remote_address(stream_.native_handle());
}

awaitable<void> Connection::run() {
  bool serving = true;
  if (stream_.secured()) serving = co_await secure();
  auto received = Status::ended;
  while (serving) {
    serving = co_await answer_buffered();
    if (!serving || stream_.deadline().passed()) break;
    auto const room = input_.room();
    auto got = stream_.read_buffered(room);
    while (must_wait(got.status)) {
      if (phase() == Phase::idle && stream_.has_part()) enter(Phase::head, context_.header_timeout);
      auto const [failure] = co_await stream_.wait(got.status);
      // A client may have sent a request just before the deadline.
      got = stream_.read(room);
      if (failure) break;
    }
    received = got.status;
    serving = received == Status::done;
    fresh_ = false;
    input_.received(got.bytes);
    context_.metrics.bytes_received.add(got.bytes);
  }
  co_await end(received);
}

/// Sends the last response, if one is due, when no further request is answered.
awaitable<void> Connection::end(Status received) {
  if (received == Status::failed) {
    spdlog::debug("TLS connection with a client failed: {}", stream_.tls_failure());
    refused_ = true;
  }
  if (stream_.deadline().passed() && phase() == Phase::head && body_left_ == 0 && !last_) {
    refuse({408, "The request did not arrive in time"}, method_begun(input_.unread()));
    co_await sender_.flush();
  }
  if (!sender_.broken()) stream_.close_tls();
  if (!batch_.empty()) batch_.end(Clock::now());
  if (!sender_.broken() && (refused_ || body_left_ != 0)) co_await linger();
}

/// Performs the handshake, which has a deadline of its own. Returns false if nothing can be served after it.
awaitable<bool> Connection::secure() {
  enter(Phase::handshake, context_.header_timeout);
  auto const result = co_await stream_.shake_hands();
  context_.metrics.tls_handshakes[static_cast<std::size_t>(result)].add();
  if (result == TlsHandshake::plain_text) {
    // Plain text is the only form that such a client understands.
    auto const method = method_begun(stream_.plain_text());
    stream_.drop_tls();
    refuse({400, "This address accepts HTTPS only; the request was plain HTTP"}, method);
    co_await sender_.flush();
  }
  if (result == TlsHandshake::failed) {
    spdlog::debug("TLS handshake with a client failed: {}", stream_.tls_failure());
    refused_ = true;  // the client may still be sending, and must receive the alert
  }
  co_return result == TlsHandshake::full || result == TlsHandshake::resumed;
}

/// Answers every complete request in the buffer, and sends the responses. Returns false if the connection must end.
awaitable<bool> Connection::answer_buffered() {
  routing::Request request;
  routing::Moment moment;
  while (true) {
    discard_body();
    bool whole = false;
    while (!last_ && body_left_ == 0 && input_.worth_parsing()) {
      auto const head = read_head(request);
      whole = head.state == ReadResult::State::complete;
      if (head.state == ReadResult::State::incomplete) {
        input_.note_incomplete();
        break;
      }
      if (head.state == ReadResult::State::refused) {
        refuse(head.error, head.method);
        break;
      }
      stream_.deadline().enter(Phase::answering);
      if (draining_ && !more_behind(head)) request.keep_alive = false;
      auto& output = sender_.output();
      bool const first_of_batch = output.empty();
      if (first_of_batch) begin_batch(moment);
      if (context_.access_log.enabled()) begin_access_entry(moment.steady);
      auto const at_once = context_.api.answer_at_once(request, moment, output, first_of_batch);
      auto status = at_once.status;
      auto route = at_once.route;
      if (status == 0) {
        auto const answered = co_await context_.api.answer(request, moment, *this);
        moment = context_.clock.moment();
        status = answered.status;
        route = answered.route;
        if (context_.access_log.enabled()) log_access(request, status, answered.subject, answered.refusal);
        request_id_.clear();
      } else if (context_.access_log.enabled()) {
        auto const* const identity = at_once.identity;
        log_access(request, status, identity != nullptr ? std::string_view(identity->subject) : std::string_view());
      }
      finish_request(request, head, status, route);
      if (!output.accepts_more()) break;
    }
    if (!sender_.empty()) {
      auto const sent = sender_.broken() ? Status::failed : sender_.send();
      if (sent == Status::wants_to_send) {
        bool const flushed = co_await sender_.flush();
        if (!flushed) co_return false;
      }
    }
    if (last_ || sender_.broken()) co_return false;
    if (!whole) break;
    whole = false;
  }
  await_request();
  co_return true;
}

/// Reads the next head in the buffer. Fields equal to those of the previous request are not parsed again.
ReadResult Connection::read_head(routing::Request& request) {
  auto const unread = input_.unread();
  if (known_fields_) {
    if (auto const known = read_known_head(unread, *known_fields_, context_.head_limits, request)) return *known;
  }
  auto head = read_request_head(unread, context_.head_limits, request);
  if (head.state == ReadResult::State::complete) remember_fields(request, head);
  return head;
}

/// Remembers the fields of a request once they have occurred twice, so that clients whose fields always differ cause no
/// work.
void Connection::remember_fields(routing::Request const& request, ReadResult const& head) {
  auto const lines = input_.unread().substr(head.fields_at, head.head_bytes - head.fields_at);
  bool const plain = request.http_1_1 && head.content_length == 0;
  if (!plain || lines.size() > KnownFieldsTable::longest) return;
  auto const hash = context_.known_fields.hash_of(lines);
  if (std::exchange(fields_hash_, hash) == hash) known_fields_ = context_.known_fields.remember(lines, hash, request);
}

/// True if the buffer contains more after this request: the beginning of another, sent before the response.
bool Connection::more_behind(ReadResult const& head) const noexcept {
  auto const unread = input_.unread().size();
  return unread > head.head_bytes && unread - head.head_bytes > head.content_length;
}

void Connection::discard_body() noexcept {
  auto const here = std::min<std::uint64_t>(body_left_, input_.unread().size());
  if (here == 0) return;
  input_.consume(static_cast<std::size_t>(here));
  body_left_ -= here;
  // The last byte ends the time for the body and starts the time for the next request.
  if (body_left_ == 0) stream_.deadline().enter(Phase::answering);
}

/// Called between requests: returns borrowed memory and starts the deadline for the next request.
void Connection::await_request() noexcept {
  sender_.release();
  bool const in_request = !input_.empty() || body_left_ != 0;
  if (in_request && phase() == Phase::head) return;
  auto const now = Clock::now();
  if (!batch_.empty()) batch_.end(now);
  if (in_request) return enter(Phase::head, context_.header_timeout, now);
  enter(Phase::idle, draining_ ? first_request_time : context_.idle_timeout, now);
  input_.release();
}

/// Called when no response is waiting to be sent: the following responses are sent together. The previous batch has
/// been sent.
void Connection::begin_batch(routing::Moment& moment) noexcept {
  moment = context_.clock.moment();
  if (!batch_.empty()) batch_.end(moment.steady);
  batch_.begin(moment.steady);
}

void Connection::refuse(routing::HttpError const& error, routing::Method method) {
  auto const moment = context_.clock.moment();
  if (context_.access_log.enabled()) begin_access_entry(moment.steady);
  context_.api.answer_bad_framing(error, method, moment, sender_.output());
  last_ = true;
  refused_ = true;
  if (context_.access_log.enabled()) log_access({}, error.status, {});
}

void Connection::finish_request(routing::Request const& request, ReadResult const& head, unsigned status,
                                routing::RouteLabel route) {
  auto const kind = routing::kind_of(route, request.method, status);
  if (!batch_.takes(kind)) {
    if (!batch_.empty()) batch_.end(Clock::now());
    batch_.turn_to(route, request.method, status, context_.api.metrics());
  }
  batch_.add();
  sender_.end_stream();
  if (!request.keep_alive) last_ = true;
  input_.consume(head.head_bytes);
  body_left_ = head.content_length;
  discard_body();
}

void Connection::begin_access_entry(Clock::time_point now) noexcept {
  answering_since_ = now;
  bytes_before_ = sender_.bytes_of_answers();
}

void Connection::log_access(routing::Request const& request, unsigned status, std::string_view subject,
                            std::optional<auth::Refusal> refusal) {
  auto const moment = context_.clock.moment();
  context_.access_log.append({.time = moment.now,
                              .remote = remote_,
                              .method = request.method_name,
                              .target = request.target,
                              .status = status,
                              .subject = subject,
                              .reason = refusal ? auth::to_string(*refusal) : std::string_view(),
                              .duration = moment.steady - answering_since_,
                              .bytes_sent = sender_.bytes_of_answers() - bytes_before_,
                              .user_agent = routing::find_field(request, "User-Agent").value,
                              .request_id = request_id(request),
                              .trace = routing::trace_context(request)});
  request_id_.clear();
}

std::string_view Connection::request_id(routing::Request const& request) {
  if (request_id_.empty()) request_id_ = routing::client_request_id(request);
  if (request_id_.empty()) context_.request_ids.append_next(request_id_);
  return request_id_;
}

/// Receives and discards bytes until the client has read the response and closes.
awaitable<void> Connection::linger() {
  stream_.close_sending();
  enter(Phase::lingering, linger_time);
  input_.consume(input_.unread().size());
  auto const room = input_.room();
  for (std::size_t total = 0; total < linger_bytes;) {
    auto const [failure] = co_await stream_.wait(Status::wants_bytes);
    if (failure) co_return;
    auto const got = stream_.discard(room);
    if (got.status == Status::ended) co_return;
    total += got.bytes;
  }
}

void Connection::check_deadline(Clock::time_point now) noexcept {
  if (!stream_.deadline().due(now)) return;
  if (phase() == Phase::sending && sender_.gives_more_time(now)) return;
  stream_.expire();
}

void Connection::begin_drain() noexcept {
  auto const now = Clock::now();
  auto& deadline = stream_.deadline();
  draining_ = true;
  if (phase() == Phase::handshake) deadline.bring_forward(now + first_request_time);
  if (phase() != Phase::idle) return;
  if (fresh_) return enter(Phase::idle, first_request_time, now);
  auto const silent_since = deadline.at() - context_.idle_timeout;
  deadline.bring_forward(silent_since + quiet_time);
  check_deadline(now);
}

void Connection::cut() noexcept {
  if (sender_.streaming()) sender_.abort();
  sender_.give_up();
  stream_.cut();
}

}  // namespace deployd::server
