#include "tests/integration/listening_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace deployd::tests {
namespace {

void listen_on(int fd, sockaddr const* address, socklen_t size) {
  if (::bind(fd, address, size) != 0 || ::listen(fd, SOMAXCONN) != 0)
    throw std::system_error(errno, std::generic_category(), "a socket cannot listen");
}

}  // namespace

ListeningSocket::ListeningSocket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  listen_on(fd_, reinterpret_cast<sockaddr const*>(&address), size);
  ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

ListeningSocket::ListeningSocket(std::string const& unix_path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, unix_path.c_str(), unix_path.size() + 1);
  listen_on(fd_, reinterpret_cast<sockaddr const*>(&address), sizeof(address));
}

ListeningSocket::~ListeningSocket() {
  ::close(fd_);
}

}  // namespace deployd::tests
