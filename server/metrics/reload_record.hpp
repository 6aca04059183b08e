// How reloading went: written by the main thread, read by any.
#pragma once

#include "base/counter.hpp"

namespace deployd::server {

struct alignas(base::cache_line) ReloadRecord {
  base::Counter succeeded;
  base::Counter failed;
  base::Counter last_succeeded;  // 1 when the last attempt was a success, or when there was none
  base::Counter last_success;    // seconds since the epoch; the start counts as one
};

}  // namespace deployd::server
