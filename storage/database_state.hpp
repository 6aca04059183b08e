// The state of the store of one process, for monitoring.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace deployd::storage {

/// How changes of the data are detected, and whether that works.
struct ChangeFeed {
  std::string_view
      mode;        // "file": read with each request; "listen": notified by the server; "timed": assumed twice a second
  bool up = true;  // false: changes are not detected, so responses are not cached
  std::chrono::nanoseconds lag{0};  // while up: all changes committed longer ago than this have been detected
  std::uint64_t changes = 0;        // "listen": the number of detected changes
};

struct DatabaseState {
  std::string_view backend;  // "sqlite" or "postgresql"
  ChangeFeed changes;
};

}  // namespace deployd::storage
