#include "tests/failover/lost_primary.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <thread>

#include "tests/failover/replicated_postgresql.hpp"
#include "tests/integration/running_deployd.hpp"

namespace deployd::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// What the cluster's keeper takes to find out that the primary is lost.
constexpr auto time_to_notice = 1s;
constexpr auto time_of_load = 1500ms;

void lose(PostgresqlServer& primary, Loss loss) {
  if (loss == Loss::crash)
    primary.crash();
  else
    primary.freeze();
}

}  // namespace

LostPrimaryReport lose_primary(std::string_view attributes, Loss loss) {
  ReplicatedPostgresql database;
  CounterHistory history;
  std::optional<CounterWriter> writer(std::in_place, database.url(), history);
  RunningDeployd const server(database.url(attributes), {"--store-timeout", "2s"});
  CheckedReaders readers(server.port(), database.token(), history);
  LostPrimaryReport report;
  std::this_thread::sleep_for(time_of_load);
  if (loss == Loss::freeze) writer.reset();  // it would wait for an answer that does not come
  report.before = readers.take();

  lose(database.primary(), loss);
  std::this_thread::sleep_for(time_to_notice);
  database.standby().promote();
  auto const promoted = Clock::now();
  report.between = readers.take();
  if (!readers.wait_for_answer(promoted, promoted + 10s)) throw std::runtime_error("no answer after the promotion");
  report.back = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - promoted);
  if (!writer) writer.emplace(database.url(), history);
  std::this_thread::sleep_for(time_of_load);
  report.after = readers.stop();
  report.without_answers = std::max(report.between.longest_gap, report.after.longest_gap);
  return report;
}

}  // namespace deployd::tests
