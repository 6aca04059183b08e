// What is known of the primary of several PostgreSQL hosts.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

namespace deployd::storage {

/// A place in a PostgreSQL's write-ahead log.
using LogPosition = std::uint64_t;
/// Reads one as PostgreSQL writes it, `16/B374D848`; nothing for anything else.
std::optional<LogPosition> parse_log_position(std::string_view text) noexcept;

/// Which host is the primary, and how far its log had come, and when. Written by the thread that watches it, read by
/// any.
class PrimaryWatch {
 public:
  using Clock = std::chrono::steady_clock;

  /// The primary is there, on `host`.
  void arrived(std::size_t host) noexcept;
  /// How often it has been found, after a time without, and how often on another host than before: what was begun with
  /// the former one is not worth waiting for.
  std::uint64_t arrivals() const noexcept { return arrivals_.load(std::memory_order_relaxed); }
  std::uint64_t moves() const noexcept { return moves_.load(std::memory_order_relaxed); }

  /// Everything that was committed before `asked` stands in the log in front of `position`.
  void tell(LogPosition position, Clock::time_point asked);
  /// Waits until something was told, but no longer than `time`.
  void wait_until_told(std::chrono::milliseconds time) const;
  /// The moment up to which a standby that has replayed the log up to `replayed` has every commit.
  std::optional<Clock::time_point> complete_until(LogPosition replayed) const;

 private:
  struct Told {
    LogPosition position = 0;
    Clock::time_point asked;
  };

  std::atomic<std::uint64_t> arrivals_ = 0;
  std::atomic<std::uint64_t> moves_ = 0;
  std::optional<std::size_t> host_;  // of the last arrival

  mutable std::mutex mutex_;
  mutable std::condition_variable first_told_;
  std::array<Told, 16> told_;  // a ring; position 0: nothing yet
  std::size_t next_ = 0;
};

}  // namespace deployd::storage
