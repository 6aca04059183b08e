// Host names of --listen, and the addresses that they stand for.
#pragma once

#include <vector>

#include "server/listen/listen_address.hpp"
#include "server/listen_error.hpp"

namespace deployd::server {

/// The endpoints that `address` stands for: itself, or for a `HostAddress` TCP addresses, each once, in the order of
/// the resolver; for an empty name 0.0.0.0 and [::].
///
/// Addresses that this machine does not have are left out, so that `localhost` and `:8080` work where IPv6 is off.
/// Throws ListenError when a name cannot be resolved or none of its addresses is one of this machine. May wait for DNS.
std::vector<ListenAddress> resolve(ListenAddress const& address);

}  // namespace deployd::server
