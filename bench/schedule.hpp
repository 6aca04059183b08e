// When the next request goes out.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace deployd::bench {

using Clock = std::chrono::steady_clock;

/// A request to be sent.
struct Ticket {
  Clock::time_point due;
  std::uint64_t index;  // counts the requests of the run from 0; picks the numbers of the URL's ranges
  bool counted;         // false: warm-up
};

/// The times of a run: warm-up in [start, counted_from), then what is counted until `end`.
struct Window {
  Clock::time_point start;
  Clock::time_point counted_from;
  Clock::time_point end;                  // time_point::max() when `requests` ends the run
  std::optional<std::uint64_t> requests;  // the counted requests in all
};

/// Hands out the requests of one thread.
class Schedule {
 public:
  virtual ~Schedule() = default;

  /// A request to be sent at `now`; nothing when none is due or all have been sent.
  virtual std::optional<Ticket> take(Clock::time_point now) = 0;

  /// No request will be handed out any more.
  virtual bool over(Clock::time_point now) const = 0;

  /// When `take` will give a request; time_point::max() for never, now or earlier for at once.
  virtual Clock::time_point next_due() const = 0;

  /// Ends the window early: nothing that is due after `now` is handed out.
  virtual void close(Clock::time_point now) = 0;

  /// Hands out nothing any more. What is due within the window and was not handed out is skipped.
  virtual void stop() = 0;

  /// Counted requests that were due and never handed out. Valid after `stop`.
  virtual std::uint64_t skipped() const = 0;
};

/// What the threads of a closed loop share.
struct ClosedLoopCounters {
  std::atomic<std::uint64_t> index{0};
  std::atomic<std::uint64_t> counted{0};
};

/// A request whenever a connection is free for one.
class ClosedLoop final : public Schedule {
 public:
  ClosedLoop(Window const& window, ClosedLoopCounters& shared);

  std::optional<Ticket> take(Clock::time_point now) override;
  bool over(Clock::time_point now) const override;
  Clock::time_point next_due() const override;
  void close(Clock::time_point) override { over_ = true; }
  void stop() override { over_ = true; }
  std::uint64_t skipped() const override { return 0; }

 private:
  Window window_;
  ClosedLoopCounters& shared_;
  bool over_ = false;
};

/// `rate` requests a second on schedule, whatever the server does. Of `threads` threads each takes its share in turn.
/// A request that finds no connection free when due is handed out as soon as one asks: one of the warm-up only during
/// the warm-up, so that its backlog takes nothing from what is measured; a counted one until `stop`, which the owner
/// calls soon after the end of the window.
class OpenLoop final : public Schedule {
 public:
  OpenLoop(Window const& window, double rate, unsigned thread, unsigned threads);

  std::optional<Ticket> take(Clock::time_point now) override;
  bool over(Clock::time_point now) const override;
  Clock::time_point next_due() const override;
  void close(Clock::time_point now) override;
  void stop() override;
  std::uint64_t skipped() const override { return skipped_; }

 private:
  Clock::time_point due(std::uint64_t index) const;
  void drop_warmup();

  Window window_;
  double rate_;
  unsigned threads_;
  std::uint64_t next_;
  std::uint64_t first_counted_;
  std::uint64_t end_;
  std::uint64_t skipped_ = 0;
};

}  // namespace deployd::bench
