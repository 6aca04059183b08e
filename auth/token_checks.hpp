// How the checks of tokens ended.
#pragma once

#include <array>
#include <cstddef>

#include "auth/refusal.hpp"
#include "base/counter.hpp"

namespace deployd::auth {

/// Of one worker: it writes, any thread reads.
struct alignas(base::cache_line) TokenChecks {
  base::Counter recalled_without_hit;           // recognised by their bytes, of requests that no kept answer answers
  base::Counter accepted;                       // verified and found good
  std::array<base::Counter, refusals> refused;  // by Refusal
};

}  // namespace deployd::auth
