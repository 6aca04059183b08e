#include "tests/integration/notify_socket.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace deployd::tests {
namespace {

using Clock = std::chrono::steady_clock;

bool has_line(std::string const& message, std::string_view line) {
  return ("\n" + message + "\n").find("\n" + std::string(line) + "\n") != std::string::npos;
}

}  // namespace

NotifySocket::NotifySocket(bool abstract)
    : name_((abstract ? "@" : "") + (directory_.path() / "notify").string()),
      socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name_.data(), name_.size());
  if (abstract) address.sun_path[0] = '\0';
  auto const size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size() + (abstract ? 0 : 1));
  if (::bind(socket_, reinterpret_cast<sockaddr const*>(&address), size) != 0)
    throw std::system_error(errno, std::generic_category(), "bind " + name_);
}

NotifySocket::~NotifySocket() {
  ::close(socket_);
}

std::string NotifySocket::next(Clock::time_point deadline) const {
  auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  pollfd waiting{socket_, POLLIN, 0};
  if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) <= 0) return {};
  std::array<char, 4096> buffer;
  auto const size = ::recv(socket_, buffer.data(), buffer.size(), 0);
  return {buffer.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
}

std::string NotifySocket::wait_for(std::string_view line, std::chrono::milliseconds deadline) {
  auto const until = Clock::now() + deadline;
  std::string others;
  for (auto message = next(until); !message.empty(); message = next(until)) {
    if (has_line(message, line)) return message;
    others += message + "\n--\n";
  }
  throw std::runtime_error("the service manager was not told " + std::string(line) + ", only: " + others);
}

bool NotifySocket::hears(std::string_view line, std::chrono::milliseconds deadline) {
  auto const until = Clock::now() + deadline;
  for (auto message = next(until); !message.empty(); message = next(until))
    if (has_line(message, line)) return true;
  return false;
}

void NotifySocket::forget() {
  std::array<char, 4096> buffer;
  while (::recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) {
  }
}

}  // namespace deployd::tests
