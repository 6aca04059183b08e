#include "server/http/worker_clock.hpp"

namespace deployd::server {

void WorkerClock::compare() noexcept {
  for (int tries = 0; tries < 3; ++tries) {
    auto const before = Clock::now();
    auto const system = std::chrono::system_clock::now();
    system_ahead_ = system.time_since_epoch() - before.time_since_epoch();
    // Otherwise the thread was preempted between the two reads.
    if (Clock::now() - before < std::chrono::microseconds(100)) return;
  }
}

}  // namespace deployd::server
