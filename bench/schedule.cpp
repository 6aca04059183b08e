#include "bench/schedule.hpp"

#include <algorithm>
#include <cmath>

namespace deployd::bench {
namespace {

// Returns the number of steps of `stride` from `from` to `to` or beyond.
std::uint64_t steps(std::uint64_t from, std::uint64_t to, std::uint64_t stride) {
  return from < to ? (to - from + stride - 1) / stride : 0;
}

}  // namespace

ClosedLoop::ClosedLoop(Window const& window, ClosedLoopCounters& shared) : window_(window), shared_(shared) {}

std::optional<Ticket> ClosedLoop::take(Clock::time_point now) {
  if (over(now)) return {};
  bool const counted = now >= window_.counted_from;
  if (counted && window_.requests && shared_.counted.fetch_add(1, std::memory_order_relaxed) >= *window_.requests) {
    over_ = true;
    return {};
  }
  return Ticket{now, shared_.index.fetch_add(1, std::memory_order_relaxed), counted};
}

bool ClosedLoop::over(Clock::time_point now) const {
  return over_ || now >= window_.end;
}

Clock::time_point ClosedLoop::next_due() const {
  return over_ ? Clock::time_point::max() : Clock::time_point::min();
}

OpenLoop::OpenLoop(Window const& window, double rate, unsigned thread, unsigned threads)
    : window_(window), rate_(rate), threads_(threads), next_(thread) {
  using Seconds = std::chrono::duration<double>;
  auto const within = [&](Clock::duration time) {
    return static_cast<std::uint64_t>(std::llround(std::ceil(Seconds(time).count() * rate - 1e-6)));
  };
  first_counted_ = within(window.counted_from - window.start);
  end_ = window.requests ? first_counted_ + *window.requests : within(window.end - window.start);
}

Clock::time_point OpenLoop::due(std::uint64_t index) const {
  auto const after = std::chrono::duration<double>(static_cast<double>(index) / rate_);
  return window_.start + std::chrono::duration_cast<Clock::duration>(after);
}

Clock::time_point OpenLoop::next_due() const {
  return next_ < end_ ? due(next_) : Clock::time_point::max();
}

void OpenLoop::drop_warmup() {
  next_ += steps(next_, first_counted_, threads_) * threads_;
}

std::optional<Ticket> OpenLoop::take(Clock::time_point now) {
  if (now >= window_.counted_from) drop_warmup();
  auto const when = next_due();
  if (when > now) return {};
  Ticket const ticket{when, next_, next_ >= first_counted_};
  next_ += threads_;
  return ticket;
}

bool OpenLoop::over(Clock::time_point) const {
  return next_ >= end_;
}

void OpenLoop::close(Clock::time_point now) {
  auto const elapsed = std::chrono::duration<double>(now - window_.start).count();
  end_ = std::min(end_, static_cast<std::uint64_t>(std::max(0.0, std::floor(elapsed * rate_ + 1e-6) + 1)));
}

void OpenLoop::stop() {
  drop_warmup();
  skipped_ += steps(next_, end_, threads_);
  next_ = std::max(next_, end_);
}

}  // namespace deployd::bench
