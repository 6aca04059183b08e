// Decides when the next request is sent.
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
  std::uint64_t index;  // index in the run, from 0; selects the numbers of the URL's ranges
  bool counted;         // false during the warm-up
};

/// The times of a run: warm-up in [start, counted_from), then the counted part until `end`.
struct Window {
  Clock::time_point start;
  Clock::time_point counted_from;
  Clock::time_point end;                  // time_point::max() if `requests` ends the run
  std::optional<std::uint64_t> requests;  // total number of counted requests
};

/// Hands out the requests of one thread.
class Schedule {
 public:
  virtual ~Schedule() = default;

  /// Returns a request to be sent at `now`, or nothing if none is due or all have been sent.
  virtual std::optional<Ticket> take(Clock::time_point now) = 0;

  /// True if no more requests will be handed out.
  virtual bool over(Clock::time_point now) const = 0;

  /// Returns when `take` will return a request: time_point::max() for never, now or earlier for immediately.
  virtual Clock::time_point next_due() const = 0;

  /// Ends the window early: requests that are due after `now` are not handed out.
  virtual void close(Clock::time_point now) = 0;

  /// Stops handing out requests. Requests that were due within the window but not handed out are skipped.
  virtual void stop() = 0;

  /// Returns the number of counted requests that were due but not handed out. Valid after `stop`.
  virtual std::uint64_t skipped() const = 0;
};

/// State shared by the threads of a closed loop.
struct ClosedLoopCounters {
  std::atomic<std::uint64_t> index{0};
  std::atomic<std::uint64_t> counted{0};
};

/// A request whenever a connection is free.
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

/// `rate` requests per second on schedule, whatever the server does. The requests are distributed to `threads` threads
/// in turn. If no connection is free when a request is due, it is handed out as soon as one becomes free: a warm-up
/// request only during the warm-up, so that its backlog does not affect the measurement; a counted one until `stop`,
/// which the owner calls soon after the end of the window.
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
