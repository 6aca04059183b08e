#include "bench/machine.hpp"

#include <sched.h>
#include <sys/utsname.h>

#include <fstream>

namespace deployd::bench {
namespace {

std::string processor() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!line.starts_with("model name")) continue;
    auto const colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

}  // namespace

Machine this_machine() {
  Machine machine{processor(), 1, "unknown system"};
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) machine.cores = static_cast<unsigned>(CPU_COUNT(&cores));
  utsname system{};
  if (uname(&system) == 0) machine.system = std::string(system.sysname) + " " + system.release + " " + system.machine;
  return machine;
}

}  // namespace deployd::bench
