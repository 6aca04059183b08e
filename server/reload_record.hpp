// How reloading went: written by the main thread, read by any.
#pragma once

#include "storage/counter.hpp"

namespace deployd::server {

struct alignas(storage::cache_line) ReloadRecord {
  storage::Counter succeeded;
  storage::Counter failed;
  storage::Counter last_succeeded;  // 1 when the last attempt was a success, or when there was none
  storage::Counter last_success;    // seconds since the epoch; the start counts as one
};

}  // namespace deployd::server
