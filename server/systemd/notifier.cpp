#include "server/systemd/notifier.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace deployd::server {

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

void SystemdNotifier::send(std::string_view assignments) {
  if (address_.empty()) return;
  sockaddr_un manager{};
  manager.sun_family = AF_UNIX;
  std::memcpy(manager.sun_path, address_.data(), address_.size());
  auto const size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  auto const sent = ::sendto(socket_.get(), assignments.data(), assignments.size(), MSG_NOSIGNAL,
                             reinterpret_cast<sockaddr const*>(&manager), size);
  if (sent < 0) spdlog::warn("cannot notify the service manager: {}", std::system_category().message(errno));
}

std::optional<std::int64_t> number_in_variable(char const* name) {
  auto const* const text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  std::int64_t value = 0;
  auto const* const text_end = text + std::strlen(text);
  auto const [end, failure] = std::from_chars(text, text_end, value);
  if (failure != std::errc() || end != text_end) return std::nullopt;
  return value;
}

std::optional<std::chrono::microseconds> watchdog_limit() {
  auto const microseconds = number_in_variable("WATCHDOG_USEC");
  if (!microseconds || *microseconds <= 0) return std::nullopt;
  if (number_in_variable("WATCHDOG_PID").value_or(::getpid()) != ::getpid()) return std::nullopt;
  return std::chrono::microseconds(*microseconds);
}

}  // namespace deployd::server
