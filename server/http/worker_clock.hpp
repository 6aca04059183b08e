// The clock of one worker's requests.
#pragma once

#include <chrono>

#include "routing/request.hpp"
#include "server/http/date.hpp"
#include "server/http/phase_deadline.hpp"

namespace deployd::server {

/// Returns both times of a request from one read of the steady clock. The time of day is derived from it until the
/// clocks are compared again. For one thread.
class WorkerClock {
 public:
  WorkerClock() noexcept { compare(); }

  /// Returns the time now. Its date is valid until the next call.
  routing::Moment moment() noexcept {
    auto const steady = Clock::now();
    auto const now = std::chrono::system_clock::time_point(steady.time_since_epoch() + system_ahead_);
    return {now, date_.at(now), steady};
  }

  /// Compares the clocks, so that changes of the time of day are noticed.
  void compare() noexcept;

 private:
  HttpDate date_;
  Clock::duration system_ahead_{};
};

}  // namespace deployd::server
