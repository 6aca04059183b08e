// Ends a connection so that the other side does not take it for the end of a response.
#pragma once

#include <sys/socket.h>

namespace deployd::server {

/// Makes closing the socket reset the connection, so that the kernel keeps no state of it.
inline void reset_on_close(int socket) noexcept {
  linger const at_once{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

}  // namespace deployd::server
