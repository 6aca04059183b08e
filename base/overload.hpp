// Detects a queue that will not get shorter by itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace deployd::base {

/// Distinguishes overload from a burst, which is worth waiting for. Overload is a queue that has been long for
/// `patience` without interruption. During overload the owner of the queue keeps it short and refuses the rest.
/// Overload ends after a period in which hardly any requests were refused. Decision 0018.
class Overload {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// The length from which a queue is long. It is more than the connections of a busy client program, so that a client
  /// that sends its next request after each response has to wait but is not refused. It is below 128, the number of
  /// events that Asio takes from epoll at once, since one turn of a loop cannot see more.
  static constexpr std::size_t long_queue = 120;
  static constexpr std::chrono::milliseconds patience{100};
  static constexpr std::chrono::milliseconds window{500};

  /// Overload ends when fewer than one in `one_in` are refused.
  explicit Overload(std::uint64_t one_in = 20) noexcept : one_in_(one_in) {}

  /// Records whether the queue is long. Between two calls that find it long, it counts as long, unless there was a
  /// `pause`.
  void note(bool is_long, TimePoint now, bool pause = false) noexcept {
    if (!is_long || !was_long_ || pause) long_since_ = now;
    was_long_ = is_long;
    if (lasts_ || now - long_since_ < patience) return;
    lasts_ = true;
    begin_window(now);
  }

  bool lasts() const noexcept { return lasts_; }

  /// For a queue that is checked on each arrival, and kept to `kept` entries during overload. Records and counts the
  /// arrival. Returns true if it must be refused, given that `waiting` entries are before it.
  bool refuses(std::size_t waiting, std::size_t kept, TimePoint now) noexcept {
    note(waiting >= long_queue, now);
    if (!lasts_) return false;
    bool const refused = waiting >= kept;
    count(refused, now);
    return refused;
  }

  /// Counts a request that arrived during overload, and whether it was refused.
  void count(bool refused, TimePoint now) noexcept {
    ++asked_;
    if (refused) ++refused_;
    if (now - window_began_ < window) return;
    lasts_ = refused_ * one_in_ >= asked_;
    begin_window(now);
  }

 private:
  void begin_window(TimePoint now) noexcept {
    window_began_ = now;
    asked_ = refused_ = 0;
  }

  std::uint64_t one_in_;
  bool lasts_ = false;
  bool was_long_ = false;
  TimePoint long_since_{};
  TimePoint window_began_{};
  std::uint64_t asked_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace deployd::base
