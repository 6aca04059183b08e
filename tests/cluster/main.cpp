// deployd-cluster [--connections N] [--rounds N]
//
// Three deployd over one PostgreSQL behind HAProxy, under load and while a program writes: each is restarted in turn,
// and one is killed, again and again. Prints what the clients have seen. Exit 0 when no answer was wrong, missing or a
// 503, and each change was seen on all three within a second.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/cluster/cluster.hpp"
#include "tests/failover/checked_readers.hpp"
#include "tests/failover/counter_writer.hpp"
#include "tests/test_program.hpp"

namespace deployd::tests {
namespace {

using namespace std::chrono_literals;

struct Arguments {
  int connections = 32;
  int rounds = 3;
};

Arguments parse(std::vector<std::string> const& words) {
  Arguments arguments;
  auto const others = read_options(words, {{"--connections", &arguments.connections}, {"--rounds", &arguments.rounds}});
  if (!others.empty()) throw std::invalid_argument("usage: deployd-cluster [--connections N] [--rounds N]");
  return arguments;
}

class Show {
 public:
  explicit Show(Arguments const& arguments)
      : arguments_(arguments),
        writer_(cluster_.database(), history_),
        readers_(cluster_.port(), cluster_.token(), history_, arguments.connections) {}

  /// True if there was no wrong or lost response.
  bool run() {
    std::printf("three deployd, one PostgreSQL, HAProxy; %d connections, changes written all the time\n",
                arguments_.connections);
    bool well = true;
    for (int round = 1; round <= arguments_.rounds; ++round) {
      well = during("each restarted in turn", [&] { restart_all(); }) && well;
      well = during("one killed (SIGKILL), back later", [&] { kill_one(static_cast<std::size_t>(round) % 3); }) && well;
    }
    return during("undisturbed", [&] { well = see_changes() && well; }) && well;
  }

 private:
  void restart_all() {
    for (std::size_t server = 0; server < Cluster::size; ++server) cluster_.restart(server);
  }

  void kill_one(std::size_t server) {
    cluster_.kill(server);
    if (!eventually(10s, [&] { return !cluster_.haproxy().up(server); }))
      throw std::runtime_error("HAProxy does not notice that a server is gone");
    cluster_.start(server);
    cluster_.wait_until_up(server);
  }

  bool see_changes() const {
    std::chrono::milliseconds longest{0};
    constexpr int changes = 20;
    for (int change = 0; change < changes; ++change)
      longest = std::max(longest, cluster_.time_until_seen_by_all("change " + std::to_string(change)));
    std::printf("%d changes seen on all three after at most %lld ms\n", changes,
                static_cast<long long>(longest.count()));
    return longest < 1s;
  }

  bool during(char const* what, std::function<void()> const& happens) {
    auto const number = [](std::uint64_t count) { return static_cast<unsigned long long>(count); };
    auto const redispatched = cluster_.haproxy().redispatched();
    auto const start = std::chrono::steady_clock::now();
    happens();
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - start;
    auto const tally = readers_.take();
    std::printf("%s, %.1f s:\n  sent %llu, answered %llu, 503 %llu, wrong %llu, lost %llu\n", what, took.count(),
                number(tally.sent), number(tally.answered), number(tally.unavailable), number(tally.wrong),
                number(tally.lost));
    std::printf("  without answers at most %lld ms, longest wait %lld ms, asked of another server %llu\n",
                static_cast<long long>(tally.longest_gap.count()), static_cast<long long>(tally.longest_wait.count()),
                number(cluster_.haproxy().redispatched() - redispatched));
    if (!tally.first_fault.empty()) std::printf("  first fault: %s\n", tally.first_fault.c_str());
    return tally.flawless() && tally.unavailable == 0;
  }

  Arguments arguments_;
  Cluster cluster_;
  CounterHistory history_;
  CounterWriter writer_;
  CheckedReaders readers_;
};

bool show(std::vector<std::string> const& words) {
  return Show(parse(words)).run();
}

}  // namespace
}  // namespace deployd::tests

int main(int argc, char** argv) {
  return deployd::tests::run_program("deployd-cluster", argc, argv, deployd::tests::show);
}
