// deployd-bench: loads an HTTP server with GETs and checks each answer.
#include <fmt/format.h>
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>

#include "bench/comparison.hpp"
#include "bench/generator.hpp"
#include "bench/options.hpp"
#include "bench/progress_line.hpp"
#include "bench/report.hpp"

namespace {

using namespace deployd::bench;

enum ExitStatus { all_right = 0, wrong_answers = 1, slower = 3, bad_usage = 64, software = 70, nobody_there = 69 };

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");

extern "C" void stop_early(int) {
  stop = true;
}

void listen_for_signals() {
  struct sigaction action {};
  action.sa_handler = stop_early;
  // A second signal ends the process at once.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void write_file(std::string const& path, std::string const& contents) {
  if (path.empty()) return;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << contents;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

int run(Options const& options) {
  std::optional<Baseline> baseline;
  if (!options.compare_file.empty()) baseline = read_baseline(options.compare_file);
  listen_for_signals();
  ProgressLine progress(options);
  auto const results = generate(options, stop, progress.period(), [&](Standing const& now) { progress.show(now); });
  progress.clear();

  fmt::print("{}", text_report(options, results));
  write_file(options.json_file, json_report(options, results));
  write_file(options.html_file, html_report(options, results));
  Comparison comparison;
  if (baseline) {
    comparison = compare(*baseline, results, options.rate.has_value(), options.tolerance);
    fmt::print("\n{}", comparison.text);
  }
  std::fflush(stdout);

  auto const wrong = complaint(options, results);
  if (!wrong.empty()) {
    fmt::print(stderr, "deployd-bench: {}\n", wrong);
    return wrong_answers;
  }
  return comparison.slower ? slower : all_right;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    auto const options = parse_options(argc, argv);
    return options ? run(*options) : all_right;
  } catch (UsageError const& error) {
    fmt::print(stderr, "deployd-bench: {}\n", error.what());
    return bad_usage;
  } catch (NobodyThere const& error) {
    fmt::print(stderr, "deployd-bench: {}\n", error.what());
    return nobody_there;
  } catch (std::exception const& error) {
    fmt::print(stderr, "deployd-bench: {}\n", error.what());
    return software;
  }
}
