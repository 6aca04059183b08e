// When a queue is one that will not get shorter by itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace deployd::base {

/// Tells a burst, which is worth waiting for, from overload: a queue that has been long without a break for `patience`.
/// While that lasts, whoever owns the queue keeps it short and refuses the rest; it is over once hardly any had to be
/// refused for a while. Decision 0018.
class Overload {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// A queue of as many as this is long: more than the connections of a busy client program, so that such a one, which
  /// asks its next question when it has its answer, is made to wait rather than refused. No more than Asio takes from
  /// epoll at once, 128, can be seen in a turn of a loop.
  static constexpr std::size_t long_queue = 120;
  static constexpr std::chrono::milliseconds patience{100};
  static constexpr std::chrono::milliseconds window{500};

  /// It is over when not even one in `one_in` is refused.
  explicit Overload(std::uint64_t one_in = 20) noexcept : one_in_(one_in) {}

  /// The queue is long, or is not, and has had no chance to get shorter meanwhile if it was long the last time, unless
  /// there was a `pause`.
  void note(bool is_long, TimePoint now, bool pause = false) noexcept {
    if (!is_long || !was_long_ || pause) long_since_ = now;
    was_long_ = is_long;
    if (lasts_ || now - long_since_ < patience) return;
    lasts_ = true;
    begin_window(now);
  }

  bool lasts() const noexcept { return lasts_; }

  /// For a queue that is looked at whenever one more comes, and in overload kept to `kept`: whether this one, before
  /// which `waiting` are in it, is to be refused. Notes and counts it.
  bool refuses(std::size_t waiting, std::size_t kept, TimePoint now) noexcept {
    note(waiting >= long_queue, now);
    if (!lasts_) return false;
    bool const refused = waiting >= kept;
    count(refused, now);
    return refused;
  }

  /// While it lasts: a question has come, and was refused or not.
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
