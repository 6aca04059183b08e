// What is known about the primary of several PostgreSQL hosts.
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

/// A position in the write-ahead log of PostgreSQL.
using LogPosition = std::uint64_t;
/// Parses a position in PostgreSQL's format, `16/B374D848`. Returns nothing for anything else.
std::optional<LogPosition> parse_log_position(std::string_view text) noexcept;

/// Which host is the primary, and the position of its log at a given time. Written by the thread that watches the
/// primary, read by any.
class PrimaryWatch {
 public:
  using Clock = std::chrono::steady_clock;

  /// Records that `host` is the primary and reachable.
  void arrived(std::size_t host) noexcept;
  /// Counts how often the primary was found after an outage, and how often on another host than before: operations
  /// started with the former host are not worth waiting for.
  std::uint64_t arrivals() const noexcept { return arrivals_.load(std::memory_order_relaxed); }
  std::uint64_t moves() const noexcept { return moves_.load(std::memory_order_relaxed); }

  /// Records that everything committed before `asked` is in the log before `position`.
  void tell(LogPosition position, Clock::time_point asked);
  /// Waits until a position is known, at most for `time`.
  void wait_until_told(std::chrono::milliseconds time) const;
  /// Returns the time before which a standby that has replayed the log up to `replayed` has every commit.
  std::optional<Clock::time_point> complete_until(LogPosition replayed) const;

 private:
  struct Told {
    LogPosition position = 0;
    Clock::time_point asked;
  };

  std::atomic<std::uint64_t> arrivals_ = 0;
  std::atomic<std::uint64_t> moves_ = 0;
  std::optional<std::size_t> host_;  // from the last call of `arrived`

  mutable std::mutex mutex_;
  mutable std::condition_variable first_told_;
  std::array<Told, 16> told_;  // a ring buffer; position 0 means none yet
  std::size_t next_ = 0;
};

}  // namespace deployd::storage
