#include "server/store_wait.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <thread>

namespace deployd::server {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds first_pause{100};
constexpr milliseconds longest_pause{1000};
constexpr std::chrono::seconds between_lines{10};

int volatile exit_status = 0;

extern "C" void end_process(int) {
  ::_exit(exit_status);
}

/// Makes SIGTERM and SIGINT end the process while it exists: the first process of a container ignores signals without a
/// handler.
class EndingSignals {
 public:
  explicit EndingSignals(int status) { exit_status = status; }
  ~EndingSignals() {
    std::signal(SIGTERM, terminate_);
    std::signal(SIGINT, interrupt_);
  }
  EndingSignals(EndingSignals const&) = delete;
  EndingSignals& operator=(EndingSignals const&) = delete;

 private:
  using Handler = void (*)(int);

  Handler const terminate_ = std::signal(SIGTERM, end_process);
  Handler const interrupt_ = std::signal(SIGINT, end_process);
};

bool is_about_schema(storage::errc code) noexcept {
  return code == storage::errc::missing || code == storage::errc::older_schema;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

bool is_temporary(storage::errc code) noexcept {
  using storage::errc;
  return code == errc::unavailable || code == errc::busy || code == errc::timeout;
}

void wait_for_store(StoreWait const& wait, std::function<void()> const& attempt) {
  if (wait.limit.count() == 0) return attempt();
  EndingSignals const signals(wait.status_of_signal);
  auto const start = Clock::now();
  auto next_line = start;
  std::string told;
  for (auto pause = first_pause;; pause = std::min(longest_pause, pause * 3 / 2)) {
    try {
      attempt();
      if (!told.empty()) spdlog::info("the store is available after {:.1f} s", seconds_since(start));
      return;
    } catch (storage::Error const& failure) {
      if (!is_temporary(failure.code()) && !(wait.for_schema && is_about_schema(failure.code()))) throw;
      auto const now = Clock::now();
      auto const left = std::chrono::ceil<milliseconds>(start + wait.limit - now);
      if (left.count() <= 0)
        throw storage::Error(failure.code(), fmt::format("{} (waited {:.1f} s: --wait-for-store)", failure.what(),
                                                         seconds_since(start)));
      if (told != failure.what() || now >= next_line) {
        told = failure.what();
        next_line = now + between_lines;
        spdlog::info("waiting for the store, {:.0f} s left: {}", static_cast<double>(left.count()) / 1000, told);
      }
      std::this_thread::sleep_for(std::min(pause, left));
    }
  }
}

}  // namespace deployd::server
