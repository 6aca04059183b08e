// Counters of token checks by outcome.
#pragma once

#include <array>
#include <cstddef>

#include "auth/refusal.hpp"
#include "base/counter.hpp"

namespace deployd::auth {

/// The counters of one worker. The worker writes; any thread may read.
struct alignas(base::cache_line) TokenChecks {
  base::Counter recalled_without_hit;           // found by their bytes, not answered from the response cache
  base::Counter accepted;                       // verified and valid
  std::array<base::Counter, refusals> refused;  // indexed by Refusal
};

}  // namespace deployd::auth
