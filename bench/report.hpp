// The reports on a run, and how they word and format what they share.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "bench/options.hpp"
#include "bench/results.hpp"

namespace deployd::bench {

/// Returns the summary for a terminal, several lines of text.
std::string text_report(Options const& options, Results const& results);

/// Returns one JSON object and a newline. Times are in microseconds, or null if nothing was measured.
std::string json_report(Options const& options, Results const& results);

/// Returns an HTML page that needs no network, with inline SVG plots: percentiles, rate, latency and errors over time,
/// machine and command.
std::string html_report(Options const& options, Results const& results);

/// Describes the load: how requests were sent, and over how many connections.
std::string load(Options const& options);

/// Describes what was wrong with the run in one line that names the most frequent reason; empty if every response was
/// correct and every request was sent in time.
std::string complaint(Options const& options, Results const& results);

/// Describes what limits the meaning of the figures, in sentences: requests that were not sent, an early end, a
/// generator that was the limit.
std::vector<std::string> remarks(Options const& options, Results const& results);

/// Shown for a figure without a value, such as the median of no latencies.
inline std::string const nothing = "–";

/// Formats a figure of `histogram`; returns `nothing` if the histogram is empty.
std::string figure(Histogram const& histogram, std::chrono::nanoseconds value);

/// Formats a duration in a suitable unit, such as `1.23 ms`.
std::string readable(std::chrono::nanoseconds duration);

/// Formats a number with thousands separators, such as `1,234,567`.
std::string readable(std::uint64_t number);

}  // namespace deployd::bench
