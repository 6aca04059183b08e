// Runs a measurement: all threads, from the first connection to the merged results.
#pragma once

#include <atomic>
#include <functional>
#include <stdexcept>

#include "bench/options.hpp"
#include "bench/results.hpp"

namespace deployd::bench {

/// Thrown if no server answers at the address, or its certificate is not trusted. `what()` is one line that names it.
class NobodyThere : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The progress of a run.
struct Standing {
  std::chrono::nanoseconds elapsed;  // since the counted part began; negative during the warm-up
  std::uint64_t right;
  std::uint64_t errors;
  std::uint64_t late;
};

/// Puts load on the server until the run is over or `stop` becomes true. Calls `observer` on the calling thread every
/// `observe_every`. Throws `NobodyThere` if the first connection cannot be made or the certificate is not trusted, and
/// `UsageError` if this process may not open that many connections.
Results generate(Options const& options, std::atomic<bool> const& stop, std::chrono::milliseconds observe_every,
                 std::function<void(Standing const&)> const& observer);

}  // namespace deployd::bench
