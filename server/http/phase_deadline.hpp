// The phases of a connection and their deadlines.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deployd::server {

using Clock = std::chrono::steady_clock;

enum class ConnectionPhase : std::uint8_t {
  handshake,  // TLS handshake
  idle,       // between two requests
  head,       // part of a request has arrived
  answering,  // nothing is expected from the client
  sending,
  lingering,  // everything was sent; the client may still be sending
};

inline constexpr std::size_t connection_phases = static_cast<std::size_t>(ConnectionPhase::lingering) + 1;

constexpr std::string_view to_string(ConnectionPhase phase) noexcept {
  constexpr std::array<std::string_view, connection_phases> names{"handshake", "idle",    "head",
                                                                  "answering", "sending", "lingering"};
  return names[static_cast<std::size_t>(phase)];
}

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
