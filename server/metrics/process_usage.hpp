// The resources used by the process.
#pragma once

#include <cstdint>

namespace deployd::server {

/// Values that cannot be determined are 0.
struct ProcessUsage {
  double cpu_seconds = 0;    // user and system time
  double start_seconds = 0;  // since the epoch
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t max_descriptors = 0;
  std::uint64_t threads = 0;
};

/// Reads /proc. Takes some tens of microseconds, and more with thousands of descriptors.
ProcessUsage read_process_usage();

}  // namespace deployd::server
