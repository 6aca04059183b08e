#include "server/systemd/sockets.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "server/failure.hpp"
#include "server/systemd/notifier.hpp"

namespace deployd::server {
namespace {

// The number of the first descriptor passed by systemd.
constexpr int first_descriptor = 3;
constexpr int most_descriptors = 1024;

/// Removes the part of `names` up to its next colon, and returns it.
std::string next_name(std::string_view& names) {
  auto const colon = std::min(names.find(':'), names.size());
  std::string name(names.substr(0, colon));
  names.remove_prefix(std::min(colon + 1, names.size()));
  return name;
}

int option_of(int fd, int option) noexcept {
  int value = 0;
  socklen_t size = sizeof(value);
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/// Returns why connections cannot be accepted from a descriptor; empty if they can.
std::string_view complaint(int fd) noexcept {
  if (::fcntl(fd, F_GETFD) < 0) return "is not open";
  auto const type = option_of(fd, SO_TYPE);
  if (type < 0) return "is no socket";
  if (type != SOCK_STREAM) return "is no stream socket";
  if (option_of(fd, SO_ACCEPTCONN) != 1) return "does not listen (ListenStream= with Accept=no is wanted)";
  auto const domain = option_of(fd, SO_DOMAIN);
  if (domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX) return "is neither TCP nor a Unix domain socket";
  return {};
}

}  // namespace

std::vector<PassedSocket> take_passed_sockets() {
  if (number_in_variable("LISTEN_PID") != ::getpid()) return {};
  auto const count = number_in_variable("LISTEN_FDS");
  auto const* const variable = std::getenv("LISTEN_FDNAMES");
  std::string const all_names = variable == nullptr ? "" : variable;
  for (auto const* const name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  if (!count || *count < 0 || *count > most_descriptors)
    throw ListenError(fmt::format("LISTEN_FDS is not a number of sockets from 0 to {}", most_descriptors));

  std::vector<PassedSocket> sockets;
  std::string_view names = all_names;
  for (int fd = first_descriptor; fd < first_descriptor + *count; ++fd) {
    auto name = next_name(names);
    if (auto const why = complaint(fd); !why.empty())
      throw ListenError(
          fmt::format("descriptor {}{}, handed over by systemd, {}", fd, name.empty() ? "" : " (" + name + ")", why));
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    sockets.push_back({base::FileDescriptor(fd), std::move(name)});
  }
  return sockets;
}

}  // namespace deployd::server
