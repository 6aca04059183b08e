// Decides how long to wait for a client that does not read its response.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "server/http/phase_deadline.hpp"

namespace deployd::server {

/// The limits for clients that read slowly.
struct ReaderLimits {
  std::chrono::milliseconds write_timeout;   // for a client that reads nothing
  std::chrono::milliseconds stream_timeout;  // for a whole streamed list
  std::size_t stream_min_rate;  // bytes per second of a streamed list, before compression; 0 for no minimum
};

/// Decides how long to wait for a client whose socket accepts no more bytes. It has no clock or socket: callers pass
/// the time and the number of bytes that the client has received on the connection.
///
/// The wait ends when the client has received nothing for `write_timeout`. For a streamed list, it also ends
/// `stream_timeout` after the beginning, and when the time spent waiting exceeds the time that the bytes received
/// meanwhile take at `stream_min_rate` by `grace` (later, after a fast period, by up to `write_timeout`).
class ReaderPatience {
 public:
  using TimePoint = PhaseDeadline::TimePoint;

  /// How far a reader may fall behind in the first seconds of a stream.
  static constexpr std::chrono::seconds grace{5};

  /// `limits` must outlive this object.
  explicit ReaderPatience(ReaderLimits const& limits) noexcept : limits_(limits) {}

  void begin_stream(TimePoint now, std::uint64_t received) noexcept;
  /// A byte sent from now on stands for so many bytes of the streamed list.
  void set_expansion(double factor) noexcept { expansion_ = factor; }
  void end_stream() noexcept { stream_ends_ = PhaseDeadline::never; }
  bool streaming() const noexcept { return stream_ends_ != PhaseDeadline::never; }
  bool stream_over(TimePoint now) const noexcept { return now >= stream_ends_; }

  /// Starts a wait. Returns when to check the client again.
  TimePoint begin_wait(TimePoint now, std::uint64_t received) noexcept;

  /// Checks a client that is being waited for. Returns when to check again, or nothing if its time is over.
  std::optional<TimePoint> look(TimePoint now, std::uint64_t received) noexcept;

 private:
  /// Updates the credit: waiting reduces it, receiving increases it.
  void account(TimePoint waited_until, std::uint64_t received) noexcept;
  TimePoint next_look(TimePoint now) const noexcept;

  ReaderLimits const& limits_;
  TimePoint stream_ends_ = PhaseDeadline::never;
  TimePoint read_by_{};
  TimePoint looked_{};
  std::uint64_t received_ = 0;
  double expansion_ = 1;
  std::chrono::nanoseconds credit_{0};
};

}  // namespace deployd::server
