// The machine that a measurement comes from.
#pragma once

#include <string>

namespace deployd::bench {

struct Machine {
  std::string processor;
  unsigned cores;  // that this process may run on
  std::string system;
};

Machine this_machine();

}  // namespace deployd::bench
