#include "bench/results.hpp"

namespace deployd::bench {

double Results::rate() const noexcept {
  auto const seconds = std::chrono::duration<double>(duration).count();
  return seconds > 0 ? static_cast<double>(tally.right) / seconds : 0;
}

}  // namespace deployd::bench
