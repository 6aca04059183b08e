// The progress line on stderr during a run.
#pragma once

#include <chrono>
#include <cstdint>

#include "bench/generator.hpp"
#include "bench/options.hpp"

namespace deployd::bench {

/// On a terminal one line, redrawn; otherwise a line a second.
class ProgressLine {
 public:
  explicit ProgressLine(Options const& options);

  /// How often `show` must be called.
  std::chrono::milliseconds period() const noexcept;

  void show(Standing const& standing);

  /// Leaves the terminal's line empty.
  void clear();

 private:
  Options const& options_;
  bool terminal_;
  std::chrono::nanoseconds shown_at_{0};
  std::uint64_t shown_right_ = 0;
};

}  // namespace deployd::bench
