// deployd-failover [--rounds N]
//
// Loses the primary of a replicated PostgreSQL again and again, in each way and with each way of choosing hosts, while
// clients ask without a pause and a program writes, and prints what the clients have seen. Exit 0 when no answer was
// wrong or missing and all were back within two seconds.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/failover/lost_primary.hpp"
#include "tests/test_program.hpp"

namespace deployd::tests {
namespace {

using namespace std::chrono_literals;

void print(char const* when, ReadTally const& tally) {
  auto const number = [](std::uint64_t count) { return static_cast<unsigned long long>(count); };
  std::printf("  %-18s sent %llu, answered %llu, 503 %llu, wrong %llu, lost %llu\n", when, number(tally.sent),
              number(tally.answered), number(tally.unavailable), number(tally.wrong), number(tally.lost));
  if (!tally.first_fault.empty()) std::printf("    first fault: %s\n", tally.first_fault.c_str());
}

bool report(std::string const& attributes, Loss loss) {
  auto const lost = lose_primary(attributes, loss);
  std::printf("target_session_attrs=%s, the primary %s, the standby promoted a second later:\n",
              attributes.empty() ? "(none)" : attributes.c_str(), loss == Loss::crash ? "crashes" : "freezes");
  print("before", lost.before);
  print("until promoted", lost.between);
  print("after", lost.after);
  std::printf("  without answers %lld ms, back %lld ms after the promotion\n",
              static_cast<long long>(lost.without_answers.count()), static_cast<long long>(lost.back.count()));
  return lost.flawless() && lost.back < 2s;
}

bool lose_in_each_way(std::vector<std::string> const& words) {
  int rounds = 1;
  if (!read_options(words, {{"--rounds", &rounds}}).empty())
    throw std::invalid_argument("usage: deployd-failover [--rounds N]");
  bool well = true;
  for (int round = 0; round < rounds; ++round)
    for (auto const loss : {Loss::crash, Loss::freeze})
      for (auto const* const attributes : {"", "prefer-standby", "any"}) well = report(attributes, loss) && well;
  return well;
}

}  // namespace
}  // namespace deployd::tests

int main(int argc, char** argv) {
  return deployd::tests::run_program("deployd-failover", argc, argv, deployd::tests::lose_in_each_way);
}
