// The results for programs.
#pragma once

#include <string>

#include "bench/options.hpp"
#include "bench/results.hpp"

namespace deployd::bench {

/// One JSON object and a newline. Times are in microseconds; those of no answer are null.
std::string json_report(Options const& options, Results const& results);

}  // namespace deployd::bench
