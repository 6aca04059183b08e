// A machine that gives no more threads. Not with sanitizers, whose own memory takes more than a limit on it may leave.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>

#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;

TEST_CASE("a server that gets no thread for each of its event loops ends those that run, in one line and exit 69") {
  FilledStore const store(StoreKind::sqlite);
  // Of eight stacks of a GiB not all fit into four.
  auto const refused =
      run(limited_deployd("ulimit -s 1048576 && ulimit -v 4194304",
                          {"serve", "--database", store.url(), "--listen", "127.0.0.1:0", "--workers", "8"}));
  CAPTURE(refused.err);
  CHECK(refused.status == 69);
  auto const line = refused.err.substr(refused.err.find("deployd: "));
  CHECK(line.starts_with("deployd: cannot start a thread for an event loop"));
  CHECK(std::ranges::count(line, '\n') == 1);
}
