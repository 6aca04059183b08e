#include "server/metrics/process_usage.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace deployd::server {
namespace {

double in_seconds(timeval const& time) noexcept {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Returns the boot time of the machine in seconds since the epoch.
double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

void read_stat_fields(ProcessUsage& usage) {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  // After the program's name, which may contain spaces. The first field there is field 3 of proc(5).
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  auto const ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::string field;
  for (int number = 3; fields >> field; ++number) {
    if (number == 20) usage.threads = std::stoull(field);
    if (number == 22) usage.start_seconds = boot_time() + std::stod(field) / ticks;
    if (number == 23) usage.virtual_bytes = std::stoull(field);
    if (number == 24) usage.resident_bytes = std::stoull(field) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
}

std::uint64_t count_descriptors() {
  std::error_code failure;
  std::filesystem::directory_iterator const entries("/proc/self/fd", failure);
  if (failure) return 0;
  auto const count = std::distance(begin(entries), end(entries));
  return static_cast<std::uint64_t>(count) - 1;  // one is for the listing itself
}

}  // namespace

ProcessUsage read_process_usage() {
  ProcessUsage usage;
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0) usage.cpu_seconds = in_seconds(used.ru_utime) + in_seconds(used.ru_stime);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.max_descriptors = limit.rlim_cur;
  usage.open_descriptors = count_descriptors();
  read_stat_fields(usage);
  return usage;
}

}  // namespace deployd::server
