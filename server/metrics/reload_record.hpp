// The outcome of reloads: written by the main thread, read by any.
#pragma once

#include "base/counter.hpp"

namespace deployd::server {

struct alignas(base::cache_line) ReloadRecord {
  base::Counter succeeded;
  base::Counter failed;
  base::Counter last_succeeded;  // 1 if the last attempt succeeded, or if there was none
  base::Counter last_success;    // seconds since the epoch; the start counts as one
};

}  // namespace deployd::server
