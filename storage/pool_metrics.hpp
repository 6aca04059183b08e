// How busy the sessions of one worker are.
#pragma once

#include "storage/counter.hpp"
#include "storage/duration_histogram.hpp"

namespace deployd::storage {

/// Of one worker: it writes, any thread reads.
struct alignas(cache_line) PoolMetrics {
  Counter sessions;  // that are open
  Counter busy;      // those of them that are at work
  Counter queued;    // questions that wait for one
  DurationHistogram waits;
};

}  // namespace deployd::storage
