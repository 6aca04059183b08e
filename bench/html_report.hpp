// A report for people: one page that needs no network.
#pragma once

#include <string>

#include "bench/options.hpp"
#include "bench/results.hpp"

namespace deployd::bench {

/// Returns an HTML page with inline SVG plots: percentiles, rate, latency and errors over time, machine and command.
std::string html_report(Options const& options, Results const& results);

}  // namespace deployd::bench
