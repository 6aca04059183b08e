// The use of one worker's sessions.
#pragma once

#include "base/counter.hpp"
#include "base/duration_histogram.hpp"

namespace deployd::storage {

/// The metrics of one worker. The worker writes; any thread may read.
struct alignas(base::cache_line) PoolMetrics {
  base::Counter sessions;  // open sessions
  base::Counter busy;      // those of them that run a query
  base::Counter queued;    // queries waiting for a session
  base::DurationHistogram waits;
};

}  // namespace deployd::storage
