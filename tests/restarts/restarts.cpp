// deployd-restarts [--restarts N] [--connections N] [passed|rolling]...
//
// Restarts deployd again and again while clients ask without a pause, and counts what they sent, what was answered and
// what was lost. Exit 0 when nothing was.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/integration/running_deployd.hpp"
#include "tests/restarts/load.hpp"
#include "tests/restarts/restarted_deployd.hpp"

namespace deployd::tests {
namespace {

struct Arguments {
  int restarts = 20;
  int connections = 64;
  std::vector<RestartKind> kinds;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    std::string const word = argv[i];
    if (word == "passed" || word == "rolling") {
      arguments.kinds.push_back(word == "passed" ? RestartKind::passed : RestartKind::rolling);
    } else if ((word == "--restarts" || word == "--connections") && i + 1 < argc) {
      (word == "--restarts" ? arguments.restarts : arguments.connections) = std::stoi(argv[++i]);
    } else {
      throw std::runtime_error("usage: deployd-restarts [--restarts N] [--connections N] [passed|rolling]...");
    }
  }
  if (arguments.kinds.empty()) arguments.kinds = {RestartKind::passed, RestartKind::rolling};
  return arguments;
}

LoadTally restart_under_load(RestartKind kind, Arguments const& arguments, FilledStore const& store) {
  auto const asked = request("GET", "/api/v1/deployments/1", bearer(store.create_token()));
  RestartedDeployd server(kind, store.url());
  // Enough that every client has asked a few times between two restarts.
  auto const between = static_cast<std::uint64_t>(arguments.connections) * 20;
  Load load(server.port(), asked, R"({"id":1,"pattern_id":1,"name":"API"})", arguments.connections);
  load.wait_for_answers(between);
  for (int i = 0; i < arguments.restarts; ++i) {
    server.restart();
    load.wait_for_answers(between);
  }
  auto const tally = load.stop();
  server.stop();
  return tally;
}

void print(RestartKind kind, Arguments const& arguments, LoadTally const& tally, double seconds) {
  auto const number = [](std::uint64_t count) { return static_cast<unsigned long long>(count); };
  std::printf("%d %s restarts under %d connections in %.1f s:\n", arguments.restarts,
              kind == RestartKind::passed ? "passed-socket" : "rolling (--take-over)", arguments.connections, seconds);
  std::printf("  sent %llu, answered %llu, lost %llu, wrong %llu, refused %llu\n", number(tally.sent),
              number(tally.answered), number(tally.lost), number(tally.wrong), number(tally.refused));
  std::printf("  connections %llu, answers with Connection: close %llu, longest wait %.1f ms\n",
              number(tally.connections), number(tally.last_answers),
              static_cast<double>(tally.longest.count()) / 1000.0);
  if (!tally.first_fault.empty()) std::printf("  first fault: %s\n", tally.first_fault.c_str());
}

int run_program(int argc, char** argv) {
  auto const arguments = parse(argc, argv);
  FilledStore const store(StoreKind::sqlite);
  bool flawless = true;
  for (auto const kind : arguments.kinds) {
    auto const start = std::chrono::steady_clock::now();
    auto const tally = restart_under_load(kind, arguments, store);
    print(kind, arguments, tally, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    flawless = flawless && tally.flawless();
  }
  return flawless ? 0 : 1;
}

}  // namespace
}  // namespace deployd::tests

int main(int argc, char** argv) {
  try {
    return deployd::tests::run_program(argc, argv);
  } catch (std::exception const& error) {
    std::fprintf(stderr, "deployd-restarts: %s\n", error.what());
    return 70;
  }
}
