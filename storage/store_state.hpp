// Logs each outage of the store and each recovery.
#pragma once

#include <boost/system/error_code.hpp>

#include <chrono>
#include <mutex>
#include <string_view>

namespace deployd::storage {

/// What one process logs about its store. The first failure after the store was there is logged at once, with its
/// reason, and so is the first success after a failure; further failures are logged once in `between_repeats`.
/// Any thread. Without memory for a line nothing is logged.
class StoreState {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::seconds between_repeats{10};

  /// The store cannot be opened or read: `why`.
  void lost(boost::system::error_code failure, std::string_view why, TimePoint now = Clock::now()) noexcept;

  /// The store was opened and read.
  void found() noexcept;

  /// A query failed, which does not mean that the store is away: logged like a further failure.
  void failed(boost::system::error_code failure, std::string_view why, TimePoint now = Clock::now()) noexcept;

 private:
  using Clock = std::chrono::steady_clock;

  static void log(boost::system::error_code failure, std::string_view why) noexcept;

  std::mutex mutex_;
  bool there_ = true;
  TimePoint next_repeat_;
};

}  // namespace deployd::storage
