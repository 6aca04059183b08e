// deployd-restarts [--restarts N] [--connections N] [passed|rolling]...
// deployd-restarts [--restarts N] [--connections N] --port PORT --token-file FILE --command COMMAND
//
// Restarts deployd again and again while clients ask without a pause, and counts what they sent, what was answered and
// what was lost. Exit 0 when nothing was. In the second form it is COMMAND that restarts a server that runs already, as
// `systemctl restart deployd` does.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/integration/running_deployd.hpp"
#include "tests/restarts/load.hpp"
#include "tests/restarts/restarted_deployd.hpp"
#include "tests/test_program.hpp"

namespace deployd::tests {
namespace {

struct Arguments {
  int restarts = 20;
  int connections = 64;
  std::vector<RestartKind> kinds;
  std::uint16_t port = 0;
  std::string token_file;
  std::string command;
};

constexpr auto target = "/api/v1/deployments/1";

Arguments parse(std::vector<std::string> const& words) {
  Arguments arguments;
  auto const others = read_options(words, {{"--restarts", &arguments.restarts},
                                           {"--connections", &arguments.connections},
                                           {"--port", &arguments.port},
                                           {"--token-file", &arguments.token_file},
                                           {"--command", &arguments.command}});
  for (auto const& word : others) {
    if (word != "passed" && word != "rolling") throw std::invalid_argument("cannot make sense of '" + word + "'");
    arguments.kinds.push_back(word == "passed" ? RestartKind::passed : RestartKind::rolling);
  }
  if (arguments.command.empty() != (arguments.port == 0))
    throw std::invalid_argument("--port and --command go together");
  if (arguments.kinds.empty()) arguments.kinds = {RestartKind::passed, RestartKind::rolling};
  return arguments;
}

/// Restarts by `restart` while there is load on the server at `port`.
LoadTally restart_under_load(std::uint16_t port, std::string const& token, std::function<void()> const& restart,
                             Arguments const& arguments) {
  auto const asked = request("GET", target, bearer(token));
  auto const answer = HttpConnection(port).ask(asked);
  if (answer.status != 200) throw std::runtime_error("the server does not answer: " + answer.head);
  // Enough that every client has asked a few times between two restarts.
  auto const between = static_cast<std::uint64_t>(arguments.connections) * 20;
  Load load(port, asked, answer.body, arguments.connections);
  load.wait_for_answers(between);
  for (int i = 0; i < arguments.restarts; ++i) {
    restart();
    load.wait_for_answers(between);
  }
  return load.stop();
}

LoadTally restart_own_server(RestartKind kind, Arguments const& arguments, FilledStore const& store) {
  RestartedDeployd server(kind, store.url());
  auto const tally = restart_under_load(
      server.port(), store.create_token(), [&] { server.restart(); }, arguments);
  server.stop();
  return tally;
}

LoadTally restart_by_command(Arguments const& arguments) {
  auto const token = read_file(arguments.token_file);
  auto const restart = [&] {
    Command command;
    command.arguments = {"/bin/sh", "-c", arguments.command};
    auto const outcome = run(command);
    if (outcome.status != 0) throw std::runtime_error(arguments.command + " failed: " + outcome.err);
  };
  return restart_under_load(arguments.port, token.substr(0, token.find('\n')), restart, arguments);
}

/// Says what `restart` has seen; whether it was without a fault.
bool report(std::string const& kind, Arguments const& arguments, std::function<LoadTally()> const& restart) {
  auto const number = [](std::uint64_t count) { return static_cast<unsigned long long>(count); };
  auto const start = std::chrono::steady_clock::now();
  auto const tally = restart();
  std::chrono::duration<double> const took = std::chrono::steady_clock::now() - start;
  std::printf("%d restarts (%s) under %d connections in %.1f s:\n", arguments.restarts, kind.c_str(),
              arguments.connections, took.count());
  std::printf("  sent %llu, answered %llu, lost %llu, wrong %llu, refused %llu\n", number(tally.sent),
              number(tally.answered), number(tally.lost), number(tally.wrong), number(tally.refused));
  std::printf("  connections %llu, answers with Connection: close %llu, longest wait %.1f ms\n",
              number(tally.connections), number(tally.last_answers),
              static_cast<double>(tally.longest.count()) / 1000.0);
  if (!tally.first_fault.empty()) std::printf("  first fault: %s\n", tally.first_fault.c_str());
  return tally.flawless();
}

bool restart_all(std::vector<std::string> const& words) {
  auto const arguments = parse(words);
  if (!arguments.command.empty())
    return report(arguments.command, arguments, [&] { return restart_by_command(arguments); });
  FilledStore const store(StoreKind::sqlite);
  bool flawless = true;
  for (auto const kind : arguments.kinds) {
    auto const* const name = kind == RestartKind::passed ? "socket handed over" : "rolling, --take-over";
    flawless = report(name, arguments, [&] { return restart_own_server(kind, arguments, store); }) && flawless;
  }
  return flawless;
}

}  // namespace
}  // namespace deployd::tests

int main(int argc, char** argv) {
  return deployd::tests::run_program("deployd-restarts", argc, argv, deployd::tests::restart_all);
}
