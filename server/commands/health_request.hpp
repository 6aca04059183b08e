// A request for /healthz, as `deployd healthcheck` sends it.
#pragma once

#include <chrono>
#include <string>

#include "server/listen/listen_address.hpp"

namespace deployd::server {

/// Sends `GET /healthz` to the server that listens on `address`, with or without TLS, and returns the status of its
/// response. For all addresses of a machine it asks at the loopback address, IPv4 first; for a name at each of its
/// addresses until one accepts the connection. The certificate is not verified.
///
/// Throws std::runtime_error, with why as `what()`, if no response with a status arrives within `timeout`.
int ask_for_health(ListenAddress const& address, bool tls, std::chrono::milliseconds timeout);

}  // namespace deployd::server
