// What one worker has done, beside its requests.
#pragma once

#include <array>

#include "server/connection_phase.hpp"
#include "server/tls_handshake.hpp"
#include "storage/counter.hpp"
#include "storage/duration_histogram.hpp"

namespace deployd::server {

/// Of one worker: it writes, any thread reads.
struct alignas(storage::cache_line) WorkerMetrics {
  storage::Counter accepted;  // connections
  storage::Counter refused;   // those of them that were closed at once, since their address had too many
  storage::Counter bytes_received;
  storage::Counter bytes_sent;
  std::array<storage::Counter, tls_handshake_results> tls_handshakes;
  std::array<storage::Counter, connection_phases> connections;  // by phase, as of the last sweep
  storage::DurationHistogram loop_lag;                          // how late the loop came to a timer
  storage::Counter last_turn;  // the steady clock, in nanoseconds, when the loop last came to a timer
  storage::Counter store_up;   // 1: the last probe of the store was answered; of the admin's worker
};

}  // namespace deployd::server
