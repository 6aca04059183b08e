#include "server/systemd/notifier.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace deployd::server {
namespace {

/// Returns the clock that systemd uses: CLOCK_MONOTONIC, which is std::chrono::steady_clock on Linux.
std::int64_t monotonic_microseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

SystemdNotifier::SystemdNotifier() {
  auto const* const path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (*path != '/' && *path != '@')) return;
  address_ = path;
  if (address_.size() >= sizeof(sockaddr_un::sun_path)) {
    address_.clear();
    return;
  }
  if (address_.front() == '@') address_.front() = '\0';
  socket_ = base::FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

void SystemdNotifier::ready(std::string_view status) {
  send(fmt::format("READY=1\nSTATUS={}", status));
}

void SystemdNotifier::reloading() {
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=Reading keys and configuration again",
                   monotonic_microseconds()));
}

void SystemdNotifier::stopping(std::string_view status, std::chrono::milliseconds limit) {
  auto const microseconds = std::chrono::microseconds(limit).count();
  send(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}\nSTATUS={}", microseconds, status));
}

void SystemdNotifier::status(std::string_view text) {
  send(fmt::format("STATUS={}", text));
}

void SystemdNotifier::feed_watchdog() {
  send("WATCHDOG=1");
}

void SystemdNotifier::send(std::string const& state) {
  if (address_.empty()) return;
  sockaddr_un manager{};
  manager.sun_family = AF_UNIX;
  std::memcpy(manager.sun_path, address_.data(), address_.size());
  auto const size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  auto const sent = ::sendto(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<sockaddr const*>(&manager), size);
  if (sent < 0) spdlog::warn("cannot notify the service manager: {}", std::system_category().message(errno));
}

}  // namespace deployd::server
