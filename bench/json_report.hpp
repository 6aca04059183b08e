// A report for programs.
#pragma once

#include <string>

#include "bench/options.hpp"
#include "bench/results.hpp"

namespace deployd::bench {

/// Returns one JSON object and a newline. Times are in microseconds, or null if nothing was measured.
std::string json_report(Options const& options, Results const& results);

}  // namespace deployd::bench
