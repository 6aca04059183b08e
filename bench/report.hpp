// The results for people, on a terminal.
#pragma once

#include <chrono>
#include <string>

#include "bench/options.hpp"
#include "bench/results.hpp"

namespace deployd::bench {

/// The summary, some lines of text.
std::string text_report(Options const& options, Results const& results);

/// A duration in the unit that suits it, as `1.23 ms`.
std::string readable(std::chrono::nanoseconds duration);

/// A number with its thousands set apart, as `1,234,567`.
std::string readable(std::uint64_t number);

}  // namespace deployd::bench
