#include "server/metrics/process_usage.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using deployd::server::read_process_usage;

TEST_CASE("what the process takes is what the system says of it") {
  auto const before = read_process_usage();
  CHECK(before.cpu_seconds > 0);
  CHECK(before.resident_bytes > 100'000);
  CHECK(before.virtual_bytes > before.resident_bytes);
  CHECK(before.threads >= 1);
  CHECK(before.max_descriptors >= before.open_descriptors);

  std::chrono::duration<double> const now = std::chrono::system_clock::now().time_since_epoch();
  CHECK(before.start_seconds <= now.count() + 1);
  CHECK(before.start_seconds > now.count() - 600);

  int const opened = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK(read_process_usage().open_descriptors == before.open_descriptors + 1);
  ::close(opened);
  CHECK(read_process_usage().open_descriptors == before.open_descriptors);
}
