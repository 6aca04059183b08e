// What a connection is doing, and until when it may.
#pragma once

#include <algorithm>
#include <chrono>

#include "server/http/connection_phase.hpp"

namespace deployd::server {

using Clock = std::chrono::steady_clock;

/// The phase of a connection with the time at which its client has to be done with it.
///
/// A deadline that has passed stays passed until another phase is entered: bytes that arrive at the same moment do not
/// revive it. Whoever waits for the client asks `passed` before each wait, so that none begins without a deadline.
class PhaseDeadline {
 public:
  using TimePoint = Clock::time_point;

  static constexpr TimePoint never = TimePoint::max();

  ConnectionPhase phase() const noexcept { return phase_; }

  /// When the phase ends; `never` while nothing is awaited of the client.
  TimePoint at() const noexcept { return at_; }

  bool passed() const noexcept { return passed_; }

  /// Begins a phase that ends at `at`.
  void enter(ConnectionPhase phase, TimePoint at = never) noexcept {
    phase_ = phase;
    at_ = at;
    passed_ = false;
  }

  /// Ends the phase at `at` if that is earlier.
  void bring_forward(TimePoint at) noexcept { at_ = std::min(at_, at); }

  /// Gives the client more time. Only before the deadline has passed.
  void extend(TimePoint at) noexcept { at_ = at; }

  void pass() noexcept { passed_ = true; }

  /// True when `pass` is due.
  bool due(TimePoint now) const noexcept { return !passed_ && at_ <= now; }

 private:
  TimePoint at_ = never;
  ConnectionPhase phase_ = ConnectionPhase::idle;
  bool passed_ = false;
};

}  // namespace deployd::server
