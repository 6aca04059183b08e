// The sockets on which connections arrive.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "server/serve.hpp"

namespace deployd::server {

/// An owned file descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// One address that is listened on: a socket for each worker.
///
/// TCP: sockets of their own bound with SO_REUSEPORT, between which the kernel spreads the connections. Unix domain:
/// duplicates of one socket. Destroying it removes a Unix domain socket's file.
class Listener {
 public:
  /// Throws ListenError when the address is not to be had. Unless `take_over`, also when somebody listens on it with
  /// SO_REUSEPORT, who would otherwise go on getting a part of the connections.
  Listener(ListenAddress const& address, unsigned workers, bool take_over);
  ~Listener();
  Listener(Listener&&) = default;
  Listener& operator=(Listener&&) = delete;

  /// As it stands in the log, with the port that was taken for port 0.
  std::string const& name() const noexcept { return name_; }

  /// Hands out the socket of one worker; non-blocking, close-on-exec, listening.
  FileDescriptor take(unsigned worker) { return std::move(sockets_[worker]); }

 private:
  void listen_tcp(TcpAddress const& address, unsigned workers, bool take_over);
  void listen_unix(UnixAddress const& address, unsigned workers);

  std::string name_;
  std::string unix_path_;  // to be removed; empty for TCP
  std::vector<FileDescriptor> sockets_;
};

/// `127.0.0.1:8080`, `[::1]:8080` or `unix:/run/deployd.sock`.
std::string to_string(ListenAddress const& address);

}  // namespace deployd::server
