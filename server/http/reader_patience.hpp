// How long a client that does not read its answer is waited for.
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
  std::size_t stream_min_rate;               // bytes a second of a streamed list; 0: any
};

/// Decides how long a client whose socket takes no more is waited for. A value: it is given the time, and how many
/// bytes of the connection the client's side has received so far.
///
/// A client is waited for until it has received nothing for `write_timeout`. The reader of a streamed list also until
/// `stream_timeout` after its beginning, and until the time spent on waiting exceeds what the bytes that it received
/// meanwhile are worth at `stream_min_rate` by `grace` (later, after a fast stretch, by up to `write_timeout`).
class ReaderPatience {
 public:
  using TimePoint = PhaseDeadline::TimePoint;

  /// What a reader may fall behind in the first seconds of a stream.
  static constexpr std::chrono::seconds grace{5};

  /// `limits` must outlive this.
  explicit ReaderPatience(ReaderLimits const& limits) noexcept : limits_(limits) {}

  void begin_stream(TimePoint now, std::uint64_t received) noexcept;
  void end_stream() noexcept { stream_ends_ = PhaseDeadline::never; }
  bool streaming() const noexcept { return stream_ends_ != PhaseDeadline::never; }
  bool stream_over(TimePoint now) const noexcept { return now >= stream_ends_; }

  /// Starts to wait. Returns when to look at the client again.
  TimePoint begin_wait(TimePoint now, std::uint64_t received) noexcept;

  /// Looks at a client that is being waited for. Returns when to look again; nothing when it has had its time.
  std::optional<TimePoint> look(TimePoint now, std::uint64_t received) noexcept;

 private:
  /// Time is spent by waiting and earned by receiving.
  void account(TimePoint waited_until, std::uint64_t received) noexcept;
  TimePoint next_look(TimePoint now) const noexcept;

  ReaderLimits const& limits_;
  TimePoint stream_ends_ = PhaseDeadline::never;
  TimePoint read_by_{};
  TimePoint looked_{};
  std::uint64_t received_ = 0;
  std::chrono::nanoseconds credit_{0};
};

}  // namespace deployd::server
