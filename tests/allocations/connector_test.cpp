// Memory that runs out on the threads that open PostgreSQL sessions.
#include <catch2/catch_test_macros.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "storage/database_url.hpp"
#include "storage/postgresql/connector.hpp"
#include "storage/schema/schema.hpp"
#include "tests/allocations/allocation_count.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd;
using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

/// Lets `failures` allocations in a row fail, from the first on, then from the second on, and so on, while sessions are
/// opened to `url`, and gives `expect` each outcome. Returns how often an allocation failed.
std::uint64_t fail_everywhere(std::string const& url, std::uint64_t failures, auto const& expect) {
  leave_out_this_thread();
  storage::PrimaryWatch const primary;
  storage::PostgresqlQueries const queries(storage::relation_names({}), true);
  storage::PostgresqlHosts const hosts(std::get<storage::PostgresqlUrl>(*storage::parse_database_url(url)));
  storage::PostgresqlSource const source{hosts, true, 1s, primary, queries};
  boost::asio::io_context loop;
  auto const work = boost::asio::make_work_guard(loop);
  auto const worker = std::make_shared<storage::WorkerLoop>(loop.get_executor());
  for (std::uint64_t number = 0;; ++number) {
    CAPTURE(failures, number);
    std::optional<bool> opened;
    std::uint64_t seen = 0;
    storage::PostgresqlConnector connector(source);  // a new one does not pause before its first attempt
    {
      AllocationCount const count(number, failures);
      REQUIRE(connector.open(worker, storage::SessionUse::queries, [&](auto result) { opened = result.has_value(); }));
      auto const end = std::chrono::steady_clock::now() + 10s;
      while (!opened && std::chrono::steady_clock::now() < end) loop.run_one_for(100ms);
      seen = count.allocations();
    }
    REQUIRE(opened);
    bool const failed = seen > number;
    expect(*opened, failed);
    if (!failed) return number;
  }
}

}  // namespace

TEST_CASE("a session that cannot be opened for want of memory is an answer like any other") {
  // No process listens on port 1: the outcome is always the same.
  for (std::uint64_t const failures : {std::uint64_t{1}, std::uint64_t{20}}) {
    auto const injected = fail_everywhere("postgresql://user@127.0.0.1:1/store", failures,
                                          [](bool opened, bool) { REQUIRE_FALSE(opened); });
    CHECK(injected > 10);
  }
}

TEST_CASE("memory that runs out while statements are prepared ends at most the session") {
  leave_out_this_thread();
  // Kerberos' library does not survive it.
  auto const url = postgresql().create_database() + "?gssencmode=disable";
  storage::migrate(*storage::parse_database_url(url), {});
  int unopened = 0;
  auto const injected = fail_everywhere(url, 1, [&](bool opened, bool failed) {
    if (!failed) REQUIRE(opened);
    unopened += opened ? 0 : 1;
  });
  CHECK(injected > 200);
  CHECK(unopened > 20);
}
