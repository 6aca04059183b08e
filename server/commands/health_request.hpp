// The request for /healthz sent by `deployd healthcheck`.
#pragma once

#include <chrono>
#include <string>

#include "server/listen/listen_address.hpp"

namespace deployd::server {

/// Sends `GET /healthz` to the server that listens on `address`, with or without TLS, and returns the status of its
/// response. For all addresses of a machine it connects to the loopback address, IPv4 first; for a name to each of its
/// addresses until one accepts the connection. Does not verify the certificate.
///
/// Throws std::runtime_error with the reason if no response with a status arrives within `timeout`.
int ask_for_health(ListenAddress const& address, bool tls, std::chrono::milliseconds timeout);

}  // namespace deployd::server
