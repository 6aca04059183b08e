#include "server/http/response_sender.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace deployd::server {
namespace {

// A larger output is not reused for the next request.
constexpr std::size_t largest_kept_output = 2 * routing::Output::flush_threshold;

}  // namespace

void ResponseSender::release() noexcept {
  if (!output_) return;
  output_->clear();
  sent_ = 0;
  if (output_->bytes.capacity() <= largest_kept_output)
    outputs_.give_back(std::move(output_));
  else
    output_.reset();
}

ByteStream::Status ResponseSender::send() noexcept {
  auto& out = *output_;
  while (true) {
    std::span<char const> const head(out.bytes.data() + sent_, out.bytes.size() - sent_);
    std::span<char const> body;
    if (out.tail) body = std::span<char const>(*out.tail).subspan(out.tail_offset);
    auto const written = stream_.write(head, body);
    if (written.status != ByteStream::Status::done) {
      broken_ = broken_ || written.status != ByteStream::Status::wants_to_send;
      return written.status;
    }
    bytes_sent_.add(written.bytes);
    sent_in_all_ += written.bytes;
    if (written.bytes == head.size() + body.size()) {
      out.clear();
      sent_ = 0;
      return ByteStream::Status::done;
    }
    note_sent(written.bytes);
  }
}

std::uint64_t ResponseSender::bytes_of_answers() const noexcept {
  if (!output_) return sent_in_all_;
  auto waiting = output_->bytes.size() - sent_;
  if (output_->tail) waiting += output_->tail->size() - output_->tail_offset;
  return sent_in_all_ + waiting;
}

/// Removes the sent bytes from the output.
void ResponseSender::note_sent(std::size_t bytes) noexcept {
  auto& out = *output_;
  auto const of_bytes = std::min(bytes, out.bytes.size() - sent_);
  sent_ += of_bytes;
  out.tail_offset += bytes - of_bytes;
}

boost::asio::awaitable<bool> ResponseSender::flush() {
  auto& deadline = stream_.deadline();
  auto const phase_before = deadline.phase();
  while (!broken_ && !empty()) {
    auto const status = send();
    if (status != ByteStream::Status::wants_to_send) continue;
    deadline.enter(ConnectionPhase::sending, patience_.begin_wait(Clock::now(), received()));
    auto const [failure] = co_await stream_.wait(status);
    if (failure || deadline.passed() || !patience_.look(Clock::now(), received())) broken_ = true;
  }
  if (streaming() && !broken_ && patience_.stream_over(Clock::now())) broken_ = true;
  if (streaming() && broken_) abort();
  deadline.enter(phase_before);
  co_return !broken_;
}

void ResponseSender::begin_stream() noexcept {
  patience_.begin_stream(Clock::now(), received());
}

bool ResponseSender::gives_more_time(PhaseDeadline::TimePoint now) noexcept {
  auto const next = patience_.look(now, received());
  if (next) stream_.deadline().extend(*next);
  return next.has_value();
}

void ResponseSender::abort() noexcept {
  stream_.reset_on_close();
  broken_ = true;
}

/// Returns the number of bytes that the client's side has received.
std::uint64_t ResponseSender::received() noexcept {
  auto const held = stream_.held_bytes();
  return sent_in_all_ - std::min<std::uint64_t>(sent_in_all_, held);
}

}  // namespace deployd::server
