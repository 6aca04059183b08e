// The phase of a connection and its deadline.
#pragma once

#include <algorithm>
#include <chrono>

#include "server/http/connection_phase.hpp"

namespace deployd::server {

using Clock = std::chrono::steady_clock;

/// The phase of a connection, and the time by which its client must have completed it.
///
/// A deadline that has passed stays passed until another phase is entered: bytes that arrive at the same moment do not
/// extend it. Code that waits for the client checks `passed` before each wait, so that no wait begins without a
/// deadline.
class PhaseDeadline {
 public:
  using TimePoint = Clock::time_point;

  static constexpr TimePoint never = TimePoint::max();

  ConnectionPhase phase() const noexcept { return phase_; }

  /// The end of the phase; `never` while nothing is expected from the client.
  TimePoint at() const noexcept { return at_; }

  bool passed() const noexcept { return passed_; }

  /// Starts a phase that ends at `at`.
  void enter(ConnectionPhase phase, TimePoint at = never) noexcept {
    phase_ = phase;
    at_ = at;
    passed_ = false;
  }

  /// Ends the phase at `at` if that is earlier.
  void bring_forward(TimePoint at) noexcept { at_ = std::min(at_, at); }

  /// Extends the deadline. Must only be called before it has passed.
  void extend(TimePoint at) noexcept { at_ = at; }

  void pass() noexcept { passed_ = true; }

  /// True if `pass` must be called.
  bool due(TimePoint now) const noexcept { return !passed_ && at_ <= now; }

 private:
  TimePoint at_ = never;
  ConnectionPhase phase_ = ConnectionPhase::idle;
  bool passed_ = false;
};

}  // namespace deployd::server
