// Holding back lines of the log that repeat.
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

/// Lets the first few of the same lines through and counts the others, in windows of time. Not to be shared between
/// threads without a lock.
class RepeatFilter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Of the same line so many are let through in one window.
  static constexpr std::size_t burst = 10;
  static constexpr std::chrono::seconds window{10};

  /// What was held back.
  struct HeldBack {
    spdlog::level::level_enum level;
    std::string line;
    std::size_t times;
  };

  /// True if the line is to be written.
  bool admit(spdlog::level::level_enum level, std::string_view line, TimePoint now);

  /// What was held back in windows that have ended by `now`. To be called now and then.
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

  // More different lines than this in one window are not remembered: they do not repeat.
  static constexpr std::size_t most_lines = 1024;

  std::unordered_map<std::string, Window, Hash, std::equal_to<>> windows_;
};

}  // namespace deployd::server
