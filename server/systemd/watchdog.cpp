#include "server/systemd/watchdog.hpp"

#include <unistd.h>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace deployd::server {
namespace {

namespace asio = boost::asio;

std::optional<std::int64_t> variable(char const* name) {
  auto const* const text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  std::string_view const digits = text;
  std::int64_t value = 0;
  auto const [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// Loops are checked this often within the limit, so that one turn may take most of it.
constexpr int questions_a_limit = 4;

}  // namespace

std::optional<std::chrono::microseconds> watchdog_limit() {
  auto const microseconds = variable("WATCHDOG_USEC");
  if (!microseconds || *microseconds <= 0) return std::nullopt;
  if (variable("WATCHDOG_PID").value_or(::getpid()) != ::getpid()) return std::nullopt;
  return std::chrono::microseconds(*microseconds);
}

SystemdWatchdog::SystemdWatchdog(asio::io_context& main, SystemdNotifier& notifier,
                                 std::optional<std::chrono::microseconds> limit)
    : main_(main), notifier_(notifier), limit_(limit), timer_(main) {}

void SystemdWatchdog::watch(std::vector<asio::io_context*> loops) {
  if (!limit_) return;
  for (auto* const loop : loops) loops_.push_back({loop, true});
  ask();
  ask_in_a_while();
}

void SystemdWatchdog::forget(asio::io_context const& loop) {
  for (auto& watched : loops_)
    if (watched.context == &loop) watched = {nullptr, true};
}

void SystemdWatchdog::ask_in_a_while() {
  timer_.expires_after(*limit_ / questions_a_limit);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    ask_in_a_while();
    if (all_have_turned()) ask();
  });
}

void SystemdWatchdog::ask() {
  for (std::size_t index = 0; index < loops_.size(); ++index) {
    auto& loop = loops_[index];
    if (loop.context == nullptr) continue;
    loop.turned = false;
    asio::post(*loop.context, [this, index] { asio::post(main_, [this, index] { turned(index); }); });
  }
}

void SystemdWatchdog::turned(std::size_t index) {
  loops_[index].turned = true;
  if (all_have_turned()) notifier_.feed_watchdog();
}

bool SystemdWatchdog::all_have_turned() const {
  return std::ranges::all_of(loops_, &Loop::turned);
}

}  // namespace deployd::server
