// Listening sockets that systemd has opened: the protocol of sd_listen_fds(3).
#pragma once

#include <string>
#include <vector>

#include "base/file_descriptor.hpp"

namespace deployd::server {

/// A listening stream socket that was opened before this process started.
struct PassedSocket {
  base::FileDescriptor socket;  // close-on-exec
  std::string name;             // FileDescriptorName= of its unit; empty if systemd set none

  /// True if the socket replaces --admin-listen; all others replace --listen.
  bool is_admin() const noexcept { return name == "admin"; }
};

/// Returns the sockets of LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES, in order; none if these variables are missing or
/// meant for another process. Removes the variables from the environment, so that the descriptors have one owner.
/// Throws ListenError with one line that names the descriptor unless it is a listening stream socket.
std::vector<PassedSocket> take_passed_sockets();

}  // namespace deployd::server
