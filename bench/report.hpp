// The results for people, on a terminal.
#pragma once

#include <chrono>
#include <string>

#include "bench/options.hpp"
#include "bench/results.hpp"

namespace deployd::bench {

/// The summary, some lines of text.
std::string text_report(Options const& options, Results const& results);

/// Says in one sentence that requests could not be sent in time, or that nothing was measured, and why; empty when
/// neither is so.
std::string unsent(Options const& options, Results const& results);

/// What was wrong with the run, in one line that names the commonest reason; empty when every answer was right and
/// every request sent in time.
std::string complaint(Options const& options, Results const& results);

/// What stands for a figure of nothing, such as the median of no latency.
inline std::string const nothing = "–";

/// A figure of `histogram`, readable; `nothing` when the histogram is empty.
std::string figure(Histogram const& histogram, std::chrono::nanoseconds value);

/// A duration in the unit that suits it, as `1.23 ms`.
std::string readable(std::chrono::nanoseconds duration);

/// A number with its thousands set apart, as `1,234,567`.
std::string readable(std::uint64_t number);

}  // namespace deployd::bench
