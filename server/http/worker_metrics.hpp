// What one worker has done, beside its requests.
#pragma once

#include <array>

#include "base/counter.hpp"
#include "base/duration_histogram.hpp"
#include "server/http/connection_phase.hpp"
#include "server/tls/handshake.hpp"

namespace deployd::server {

/// Of one worker: it writes, any thread reads.
struct alignas(base::cache_line) WorkerMetrics {
  base::Counter accepted;  // connections
  base::Counter refused;   // those of them that were closed at once, since their address had too many
  base::Counter bytes_received;
  base::Counter bytes_sent;
  std::array<base::Counter, tls_handshake_results> tls_handshakes;
  std::array<base::Counter, connection_phases> connections;  // by phase, as of the last sweep
  base::DurationHistogram loop_lag;                          // how late the loop came to a timer
  base::Counter last_turn;  // the steady clock, in nanoseconds, when the loop last came to a timer
  base::Counter store_up;   // 1: the last probe of the store was answered; of the admin's worker
};

}  // namespace deployd::server
