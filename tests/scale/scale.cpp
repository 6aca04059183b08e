// deployd-scale [--deployments N] [--patterns N] [sqlite|postgresql]...
//
// Imports many deployments, exports them again, streams the list of all while other clients ask, and compares look-ups
// with those in a store of a thousand rows. Prints what it measured; exit 1 when a bound does not hold.
#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <future>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "tests/integration/running_deployd.hpp"
#include "tests/scale/large_data.hpp"
#include "tests/scale/memory_watch.hpp"
#include "tests/test_program.hpp"

namespace deployd::tests {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto long_enough = std::chrono::minutes(40);
constexpr std::uint64_t mib = 1024 * 1024;

constexpr std::uint64_t import_memory_limit = 256 * mib;
constexpr std::uint64_t stream_memory_limit = 64 * mib;
constexpr double slowest_beside_stream_ms = 50;
constexpr double speed_tolerance = 0.10;

struct Arguments {
  LargeData data{10'000, 10'000'000};
  std::vector<StoreKind> stores;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Prints measurements and remembers whether all bounds held.
class Report {
 public:
  void tell(std::string const& what) { std::printf("  %s\n", what.c_str()); }
  void hold(bool good, std::string const& what) {
    std::printf("  %s%s\n", what.c_str(), good ? "" : "   <-- MISSED");
    all_held_ = all_held_ && good;
  }
  bool all_held() const noexcept { return all_held_; }

 private:
  bool all_held_ = true;
};

std::string new_store(StoreKind kind, TemporaryDirectory const& directory, std::string const& name) {
  if (kind == StoreKind::postgresql) return postgresql().create_database();
  return "sqlite:" + (directory.path() / (name + ".db")).string();
}

/// Runs `deployd ARGUMENTS`; throws when it fails.
void run_to_end(std::vector<std::string> arguments, std::filesystem::path const& output, std::string const& what,
                Report& report, bool bounded_memory) {
  arguments.insert(arguments.begin(), deployd_program());
  auto const start = Clock::now();
  Process process({.arguments = arguments, .environment = {}, .input = {}, .directory = {}, .output_file = output});
  MemoryWatch const watch(process.pid());
  auto const outcome = process.wait(long_enough);
  if (outcome.status != 0) throw std::runtime_error(what + " failed: " + outcome.err);
  auto const line =
      fmt::format("{:<42} {:>8.1f} s, peak memory {} MiB", what, seconds_since(start), watch.peak() / mib);
  report.hold(!bounded_memory || watch.peak() <= import_memory_limit, line);
}

bool same_bytes(std::filesystem::path const& left, std::filesystem::path const& right) {
  std::ifstream a(left, std::ios::binary);
  std::ifstream b(right, std::ios::binary);
  std::vector<char> from_a(mib);
  std::vector<char> from_b(mib);
  while (a && b) {
    a.read(from_a.data(), static_cast<std::streamsize>(from_a.size()));
    b.read(from_b.data(), static_cast<std::streamsize>(from_b.size()));
    if (a.gcount() != b.gcount() || !std::equal(from_a.begin(), from_a.begin() + a.gcount(), from_b.begin()))
      return false;
  }
  return a.eof() && b.eof();
}

/// One client with one connection, whose answers must be right.
class Prober {
 public:
  Prober(RunningDeployd const& server, std::string token, LargeData const& data)
      : connection_(server.connect()), authorization_(bearer(token)), data_(data) {}

  double look_up_ms() {
    auto const id = std::uniform_int_distribution<std::int64_t>(1, data_.deployments)(random_);
    return ask_ms("/api/v1/deployments/" + std::to_string(id));
  }
  double list_ms() {
    auto const pattern = std::uniform_int_distribution<std::int64_t>(1, data_.patterns)(random_);
    return ask_ms("/api/v1/deployments?$limit=100&pattern=PATTERN_" + std::to_string(pattern));
  }

 private:
  double ask_ms(std::string const& target) {
    auto const start = Clock::now();
    auto const answer = connection_.ask(request("GET", target, authorization_));
    if (answer.status != 200) throw std::runtime_error(target + ": " + answer.head);
    return 1000 * seconds_since(start);
  }

  HttpConnection connection_;
  std::string authorization_;
  LargeData data_;
  std::minstd_rand random_;
};

/// Reads the list of all as fast as it comes; its size in bytes.
std::uint64_t read_everything(RunningDeployd const& server, std::string const& token) {
  Command command;
  command.arguments = {"/usr/bin/env",
                       "curl",
                       "--silent",
                       "--show-error",
                       "--fail",
                       "--output",
                       "/dev/null",
                       "--write-out",
                       "%{size_download}",
                       "--header",
                       "Authorization: Bearer " + token,
                       fmt::format("http://127.0.0.1:{}/api/v1/deployments", server.port())};
  auto const outcome = run(command, long_enough);
  if (outcome.status != 0)
    throw std::runtime_error(fmt::format("the list of all failed: {} {}", outcome.status, outcome.err));
  return std::stoull(outcome.out);
}

void stream_everything(RunningDeployd& server, std::string const& token, LargeData const& data, Report& report) {
  Prober prober(server, token, data);
  for (int i = 0; i < 100; ++i) prober.look_up_ms();
  auto const before = resident_bytes(server.process().pid());
  MemoryWatch const watch(server.process().pid());
  auto const start = Clock::now();
  auto reading = std::async(std::launch::async, [&] { return read_everything(server, token); });
  std::vector<double> beside;
  while (reading.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    beside.push_back(prober.look_up_ms());
    beside.push_back(prober.list_ms());
  }
  auto const bytes = reading.get();
  auto const took = seconds_since(start);
  std::ranges::sort(beside);
  report.tell(fmt::format("{:<42} {:>8.1f} s, {} MB, {:.0f} MB/s", "list of all, streamed", took, bytes / 1'000'000,
                          static_cast<double>(bytes) / 1e6 / took));
  auto const grown = watch.most() - std::min(before, watch.most());
  report.hold(grown < stream_memory_limit,
              fmt::format("  the server's memory grew by {:.1f} MiB (from {:.1f} MiB)",
                          static_cast<double>(grown) / mib, static_cast<double>(before) / mib));
  report.hold(beside.back() < slowest_beside_stream_ms,
              fmt::format("  {} other requests meanwhile: median {:.2f} ms, slowest {:.2f} ms", beside.size(),
                          beside[beside.size() / 2], beside.back()));
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

/// Asks both servers in turn; the medians of what rounds of requests took, in milliseconds a request.
template <typename Ask>
void compare(std::string const& what, Prober& small, Prober& large, Ask ask, Report& report) {
  constexpr int rounds = 15;
  constexpr int requests_a_round = 1000;
  std::array<std::vector<double>, 2> times;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t which = 0; which < 2; ++which) {
      double sum = 0;
      for (int i = 0; i < requests_a_round; ++i) sum += ask(which == 0 ? small : large);
      times[which].push_back(sum / requests_a_round);
    }
  }
  auto const ratio = median(times[1]) / median(times[0]);
  report.hold(ratio <= 1 + speed_tolerance,
              fmt::format("{:<42} {:>8.1f} us, in a store of 1,000 rows {:.1f} us: {:.2f} times", what,
                          1000 * median(times[1]), 1000 * median(times[0]), ratio));
}

std::string create_token(std::string const& database) {
  auto const outcome = run_deployd({"token", "create", "--database", database, "--name", "scale"});
  if (outcome.status != 0) throw std::runtime_error("token create failed: " + outcome.err);
  return outcome.out.substr(0, outcome.out.find('\n'));
}

/// Brings a file into the operating system's cache, where that of a store in use is: kernels that reclaim what was not
/// touched for a while would have the disk measured otherwise.
void read_once(std::filesystem::path const& file) {
  std::ifstream in(file, std::ios::binary);
  std::vector<char> piece(mib);
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size()))) continue;
}

/// Keeps this thread, and the processes that it starts, on one core for as long as it lives: where the kernel happens
/// to place a client and its server makes more of a difference than what is compared.
class OnOneCore {
 public:
  OnOneCore() {
    CPU_ZERO(&before_);
    if (::sched_getaffinity(0, sizeof before_, &before_) != 0) throw std::system_error(errno, std::system_category());
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &one);
    if (::sched_setaffinity(0, sizeof one, &one) != 0) throw std::system_error(errno, std::system_category());
  }
  OnOneCore(OnOneCore const&) = delete;
  ~OnOneCore() { ::sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_;
};

void compare_with_small_store(StoreKind kind, std::string const& large_url, LargeData const& data,
                              TemporaryDirectory const& directory, Report& report) {
  LargeData const small_data{10, 1000};
  auto const file = directory.path() / "small.ndjson";
  small_data.write_to(file);
  auto const small_url = new_store(kind, directory, "small");
  run_to_end({"import", "--database", small_url, file.string()}, {}, "import of 1,000 deployments", report, true);
  OnOneCore const on_one_core;
  RunningDeployd const small_server(small_url, {"--cache-bytes", "0", "--workers", "1"});
  RunningDeployd const large_server(large_url, {"--cache-bytes", "0", "--workers", "1"});
  Prober small(small_server, create_token(small_url), small_data);
  Prober large(large_server, create_token(large_url), data);
  if (kind == StoreKind::sqlite) read_once(large_url.substr(std::string_view("sqlite:").size()));
  compare(
      "look-up, cache off", small, large, [](Prober& prober) { return prober.look_up_ms(); }, report);
  compare(
      "list of 100 by pattern, cache off", small, large, [](Prober& prober) { return prober.list_ms(); }, report);
}

bool measure(StoreKind kind, LargeData const& data) {
  Report report;
  std::printf("%s, %lld deployments in %lld patterns\n", kind == StoreKind::sqlite ? "SQLite" : "PostgreSQL",
              static_cast<long long>(data.deployments), static_cast<long long>(data.patterns));
  TemporaryDirectory const directory;
  auto const file = directory.path() / "large.ndjson";
  auto const exported = directory.path() / "exported.ndjson";
  data.write_to(file);
  auto const url = new_store(kind, directory, "large");
  run_to_end({"import", "--database", url, file.string()}, {}, "import", report, true);
  run_to_end({"export", "--database", url, "--format", "ndjson"}, exported, "export", report, true);
  report.hold(same_bytes(file, exported), fmt::format("  export and import, {} MB, are the same bytes",
                                                      std::filesystem::file_size(file) / 1'000'000));
  {
    auto const token = create_token(url);
    // Without the cache, which the other requests would fill: what grows is then the stream.
    RunningDeployd server(url, {"--workers", "1", "--cache-bytes", "0"});
    stream_everything(server, token, data, report);
  }
  compare_with_small_store(kind, url, data, directory, report);
  return report.all_held();
}

Arguments parse(std::vector<std::string> const& words) {
  Arguments arguments;
  auto& data = arguments.data;
  for (auto const& word : read_options(words, {{"--deployments", &data.deployments}, {"--patterns", &data.patterns}})) {
    if (word != "sqlite" && word != "postgresql") throw std::invalid_argument("cannot make sense of '" + word + "'");
    arguments.stores.push_back(word == "sqlite" ? StoreKind::sqlite : StoreKind::postgresql);
  }
  if (arguments.stores.empty()) arguments.stores = {StoreKind::sqlite, StoreKind::postgresql};
  return arguments;
}

bool measure_all(std::vector<std::string> const& words) {
  auto const arguments = parse(words);
  bool held = true;
  for (auto const kind : arguments.stores) held = measure(kind, arguments.data) && held;
  return held;
}

}  // namespace
}  // namespace deployd::tests

int main(int argc, char** argv) {
  return deployd::tests::run_program("deployd-scale", argc, argv, deployd::tests::measure_all);
}
