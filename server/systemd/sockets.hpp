// Listening sockets that systemd opened for us: the protocol of sd_listen_fds(3).
#pragma once

#include <string>
#include <vector>

#include "base/file_descriptor.hpp"

namespace deployd::server {

/// A listening stream socket that was there before this process.
struct PassedSocket {
  base::FileDescriptor socket;  // close-on-exec
  std::string name;             // FileDescriptorName= of its unit; empty where systemd gave none

  /// True if the socket replaces --admin-listen; all others replace --listen.
  bool is_admin() const noexcept { return name == "admin"; }
};

/// The sockets handed over in LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES, in their order; none when there are no such
/// variables or they are meant for another process. Takes the variables out of the environment: the descriptors have
/// one owner. Throws ListenError, with one line that names the descriptor, for what is no listening stream socket.
std::vector<PassedSocket> take_passed_sockets();

}  // namespace deployd::server
