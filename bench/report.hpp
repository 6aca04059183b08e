// A report for people, on a terminal.
#pragma once

#include <chrono>
#include <string>

#include "bench/options.hpp"
#include "bench/results.hpp"

namespace deployd::bench {

/// Returns the summary, several lines of text.
std::string text_report(Options const& options, Results const& results);

/// Describes in one sentence that requests could not be sent in time, or that nothing was measured, and why; empty
/// otherwise.
std::string unsent(Options const& options, Results const& results);

/// Describes what was wrong with the run in one line that names the most frequent reason; empty if every response was
/// correct and every request was sent in time.
std::string complaint(Options const& options, Results const& results);

/// Shown for a figure without a value, such as the median of no latencies.
inline std::string const nothing = "–";

/// Formats a figure of `histogram`; returns `nothing` if the histogram is empty.
std::string figure(Histogram const& histogram, std::chrono::nanoseconds value);

/// Formats a duration in a suitable unit, such as `1.23 ms`.
std::string readable(std::chrono::nanoseconds duration);

/// Formats a number with thousands separators, such as `1,234,567`.
std::string readable(std::uint64_t number);

}  // namespace deployd::bench
