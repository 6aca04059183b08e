#include "server/http/reader_patience.hpp"

#include <algorithm>

namespace deployd::server {
namespace {

// How many times within --write-timeout a slow client is checked. The socket becomes writable only after the client has
// read a third of what the kernel holds for it, which may be megabytes.
constexpr int looks = 4;

}  // namespace

void ReaderPatience::begin_stream(TimePoint now, std::uint64_t received) noexcept {
  stream_ends_ = now + limits_.stream_timeout;
  received_ = received;
  expansion_ = 1;
  credit_ = std::min<std::chrono::nanoseconds>(grace, limits_.write_timeout);
}

ReaderPatience::TimePoint ReaderPatience::begin_wait(TimePoint now, std::uint64_t received) noexcept {
  looked_ = now;
  account(now, received);
  read_by_ = now + limits_.write_timeout;
  return next_look(now);
}

std::optional<ReaderPatience::TimePoint> ReaderPatience::look(TimePoint now, std::uint64_t received) noexcept {
  if (received > received_) read_by_ = now + limits_.write_timeout;
  account(now, received);
  if (now >= read_by_ || now >= stream_ends_) return std::nullopt;
  if (streaming() && limits_.stream_min_rate != 0 && credit_.count() <= 0) return std::nullopt;
  return next_look(now);
}

void ReaderPatience::account(TimePoint waited_until, std::uint64_t received) noexcept {
  if (streaming() && limits_.stream_min_rate != 0) {
    auto const bytes = static_cast<double>(received - std::min(received, received_));
    std::chrono::duration<double> const earned(bytes * expansion_ / static_cast<double>(limits_.stream_min_rate));
    // Compared in seconds: the credit of a fast reader may overflow nanoseconds.
    std::chrono::duration<double> const most = limits_.write_timeout;
    std::chrono::duration<double> const credit = credit_ - (waited_until - looked_) + earned;
    credit_ = std::chrono::duration_cast<std::chrono::nanoseconds>(std::min(credit, most));
  }
  looked_ = waited_until;
  received_ = std::max(received_, received);
}

ReaderPatience::TimePoint ReaderPatience::next_look(TimePoint now) const noexcept {
  auto next = std::min({now + limits_.write_timeout / looks, read_by_, stream_ends_});
  if (streaming() && limits_.stream_min_rate != 0) next = std::min(next, now + std::max(credit_, credit_.zero()));
  return next;
}

}  // namespace deployd::server
