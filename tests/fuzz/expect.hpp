// What must hold for every input: a fuzz target that sees it broken stops the program, which libFuzzer reports.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace deployd::tests {

/// Ends the program with `what` on stderr unless `holds`.
inline void expect(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

}  // namespace deployd::tests
