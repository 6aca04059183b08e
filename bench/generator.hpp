// A whole run: all threads, from the first connection to the merged results.
#pragma once

#include <atomic>
#include <functional>
#include <stdexcept>

#include "bench/options.hpp"
#include "bench/results.hpp"

namespace deployd::bench {

/// Nobody answers at the address, or nobody who is trusted; `what()` is one line that names it.
class NobodyThere : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How far a run has come.
struct Standing {
  std::chrono::nanoseconds elapsed;  // of the counted part; negative during the warm-up
  std::uint64_t right;
  std::uint64_t errors;
  std::uint64_t late;
};

/// Puts the load on the server until the run is over or `stop` becomes true. Calls `observer` on the calling thread
/// every `observe_every`. Throws `NobodyThere` when the first connection cannot be made or the certificate there is not
/// trusted, and `UsageError` when this process may not have so many.
Results generate(Options const& options, std::atomic<bool> const& stop, std::chrono::milliseconds observe_every,
                 std::function<void(Standing const&)> const& observer);

}  // namespace deployd::bench
