// Suppresses repeated log lines.
#pragma once

#include <spdlog/common.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace deployd::server {

/// Admits the first few of identical lines in each time window and counts the others. Not to be shared between threads
/// without a lock.
class RepeatFilter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// The number of identical lines admitted per window.
  static constexpr std::size_t burst = 10;
  static constexpr std::chrono::seconds window{10};

  /// Lines that were suppressed.
  struct HeldBack {
    spdlog::level::level_enum level;
    std::string line;
    std::size_t times;
  };

  /// True if the line must be written.
  bool admit(spdlog::level::level_enum level, std::string_view line, TimePoint now);

  /// Returns and resets the lines suppressed in windows that have ended by `now`. Must be called from time to time.
  std::vector<HeldBack> take_ended(TimePoint now);

 private:
  struct Window {
    TimePoint ends;
    spdlog::level::level_enum level;
    std::size_t seen = 0;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };

  // More different lines than this in one window are not stored: such lines do not repeat.
  static constexpr std::size_t most_lines = 1024;

  std::unordered_map<std::string, Window, Hash, std::equal_to<>> windows_;
};

}  // namespace deployd::server
