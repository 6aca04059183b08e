// Memory that runs out on the threads that open PostgreSQL sessions.
#include <catch2/catch_test_macros.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "storage/database_url.hpp"
#include "storage/postgresql/connector.hpp"
#include "tests/allocations/allocation_count.hpp"

using namespace deployd;
using namespace deployd::tests;
using namespace std::chrono_literals;

TEST_CASE("a session that cannot be opened for want of memory is an answer like any other") {
  leave_out_this_thread();
  // No process listens on port 1: the outcome is always the same.
  auto const url = storage::parse_database_url("postgresql://user@127.0.0.1:1/store");
  storage::PrimaryWatch const primary;
  storage::PostgresqlSource const source{storage::PostgresqlHosts(std::get<storage::PostgresqlUrl>(*url)), true, 1s,
                                         primary};
  boost::asio::io_context loop;
  auto const work = boost::asio::make_work_guard(loop);
  auto const worker = std::make_shared<storage::WorkerLoop>(loop.get_executor());

  std::uint64_t injected = 0;
  for (std::uint64_t const failures : {std::uint64_t{1}, std::uint64_t{20}}) {
    for (std::uint64_t number = 0;; ++number) {
      CAPTURE(failures, number, injected);
      std::optional<bool> opened;
      std::uint64_t seen = 0;
      storage::PostgresqlConnector connector(source);  // a new one does not pause before its first attempt
      {
        AllocationCount const count(number, failures);
        REQUIRE(connector.open(worker, [&](auto result) { opened = result.has_value(); }));
        auto const end = std::chrono::steady_clock::now() + 10s;
        while (!opened && std::chrono::steady_clock::now() < end) loop.run_one_for(100ms);
        seen = count.allocations();
      }
      REQUIRE(opened == false);
      if (seen <= number) break;
      ++injected;
    }
  }
  CHECK(injected > 20);
}
