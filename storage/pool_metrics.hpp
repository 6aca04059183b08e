// How busy the sessions of one worker are.
#pragma once

#include "base/counter.hpp"
#include "base/duration_histogram.hpp"

namespace deployd::storage {

/// Of one worker: it writes, any thread reads.
struct alignas(base::cache_line) PoolMetrics {
  base::Counter sessions;  // that are open
  base::Counter busy;      // those of them that are at work
  base::Counter queued;    // questions that wait for one
  base::DurationHistogram waits;
};

}  // namespace deployd::storage
