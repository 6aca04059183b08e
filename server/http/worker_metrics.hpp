// The counters of one worker other than those of its requests.
#pragma once

#include <array>

#include "base/counter.hpp"
#include "base/duration_histogram.hpp"
#include "server/http/byte_stream.hpp"
#include "server/http/phase_deadline.hpp"

namespace deployd::server {

/// The counters of one worker. The worker writes; any thread may read.
struct alignas(base::cache_line) WorkerMetrics {
  base::Counter accepted;  // connections
  base::Counter refused;   // connections closed at once because their address had too many
  base::Counter bytes_received;
  base::Counter bytes_sent;
  std::array<base::Counter, tls_handshake_results> tls_handshakes;
  std::array<base::Counter, connection_phases> connections;  // by phase, as of the last sweep
  base::DurationHistogram loop_lag;                          // delay of timers on the event loop
  base::Counter
      last_turn;  // the steady clock, in nanoseconds, when the loop last ran a timer; the maximum after its end
  base::Counter store_up;  // 1 if the last probe of the store succeeded; only of the admin's worker
};

}  // namespace deployd::server
