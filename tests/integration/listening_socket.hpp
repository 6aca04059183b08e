// Sockets that a service manager keeps while the processes that serve them come and go.
#pragma once

#include <cstdint>
#include <string>

namespace deployd::tests {

/// A socket that listens on 127.0.0.1 or on a Unix domain socket's path for as long as it exists.
class ListeningSocket {
 public:
  ListeningSocket();
  explicit ListeningSocket(std::string const& unix_path);
  ~ListeningSocket();
  ListeningSocket(ListeningSocket const&) = delete;
  ListeningSocket& operator=(ListeningSocket const&) = delete;

  int fd() const noexcept { return fd_; }
  std::uint16_t port() const noexcept { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

}  // namespace deployd::tests
