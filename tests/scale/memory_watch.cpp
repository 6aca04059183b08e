#include "tests/scale/memory_watch.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace deployd::tests {
namespace {

/// A line of /proc/PID/status that is in kB, in bytes.
std::uint64_t status_bytes(pid_t process, std::string_view name) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name)) return std::stoull(line.substr(name.size())) * 1024;
  return 0;
}

}  // namespace

std::uint64_t resident_bytes(pid_t process) {
  return status_bytes(process, "VmRSS:");
}

std::uint64_t peak_resident_bytes(pid_t process) {
  return status_bytes(process, "VmHWM:");
}

void forget_peak(pid_t process) {
  std::ofstream file("/proc/" + std::to_string(process) + "/clear_refs");
  if (!(file << 5 << std::flush)) throw std::runtime_error("the peak of resident memory cannot be reset");
}

MemoryWatch::MemoryWatch(pid_t process)
    : thread_([this, process](std::stop_token stop) {
        while (!stop.stop_requested()) {
          most_ = std::max(most_.load(), resident_bytes(process));
          peak_ = std::max(peak_.load(), peak_resident_bytes(process));
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
      }) {}

}  // namespace deployd::tests
