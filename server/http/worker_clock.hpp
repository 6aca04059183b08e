// The clock of one worker's requests, and the value of the Date field.
#pragma once

#include <array>
#include <chrono>
#include <string_view>

#include "routing/request.hpp"
#include "server/http/phase_deadline.hpp"

namespace deployd::server {

/// An IMF-fixdate (RFC 9110 §5.6.7) that is updated when the second changes.
class HttpDate {
 public:
  /// Returns the date of `now`: 29 characters, valid until the next call.
  std::string_view at(std::chrono::system_clock::time_point now) noexcept {
    if (now < second_begins_ || now >= second_ends_) [[unlikely]]
      render(std::chrono::floor<std::chrono::seconds>(now));
    return {text_.data(), text_.size()};
  }

 private:
  void render(std::chrono::sys_seconds second) noexcept;

  // The second of `text_`. Comparing with it avoids a division per call.
  std::chrono::system_clock::time_point second_begins_{};
  std::chrono::system_clock::time_point second_ends_{};
  std::array<char, 29> text_{};
};

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
