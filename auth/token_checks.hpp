// How the checks of tokens ended.
#pragma once

#include <array>
#include <cstddef>

#include "auth/refusal.hpp"
#include "storage/counter.hpp"

namespace deployd::auth {

/// Of one worker: it writes, any thread reads.
struct alignas(storage::cache_line) TokenChecks {
  storage::Counter recalled_without_hit;           // recognised by their bytes, of requests that no kept answer answers
  storage::Counter accepted;                       // verified and found good
  std::array<storage::Counter, refusals> refused;  // by Refusal
};

}  // namespace deployd::auth
