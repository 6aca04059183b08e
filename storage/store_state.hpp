// Logs each outage of the store and each recovery.
#pragma once

#include <boost/system/error_code.hpp>

#include <chrono>
#include <mutex>
#include <string_view>

namespace deployd::storage {

/// Logs outages for one process. The first failure after the store was available is logged at once with its reason, and
/// so is the first success after a failure; further failures are logged once per `between_repeats`. Safe to use from
/// any thread. Nothing is logged without memory for a line.
class StoreState {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::seconds between_repeats{10};

  /// Records that the store cannot be opened or read, and why.
  void lost(boost::system::error_code failure, std::string_view why, TimePoint now = Clock::now()) noexcept;

  /// Records that the store was opened and read.
  void found() noexcept;

  /// Records that a query failed, which does not mean that the store is unavailable. Logged like a further failure.
  void failed(boost::system::error_code failure, std::string_view why, TimePoint now = Clock::now()) noexcept;

 private:
  using Clock = std::chrono::steady_clock;

  void log(boost::system::error_code failure, std::string_view why, TimePoint now) noexcept;

  std::mutex mutex_;
  bool there_ = true;
  TimePoint next_repeat_;
};

}  // namespace deployd::storage
