// Ending a connection so that the other side cannot take it for the end of an answer.
#pragma once

#include <sys/socket.h>

namespace deployd::server {

/// Once the socket is closed, the connection ends with a reset, and nothing of it is left here.
inline void reset_on_close(int socket) noexcept {
  linger const at_once{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

}  // namespace deployd::server
