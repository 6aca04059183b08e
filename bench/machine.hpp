// The machine on which a measurement runs.
#pragma once

#include <string>

namespace deployd::bench {

struct Machine {
  std::string processor;
  unsigned cores;  // available to this process
  std::string system;
};

Machine this_machine();

}  // namespace deployd::bench
