// Resolves host names of --listen to addresses.
#pragma once

#include <vector>

#include "server/failure.hpp"
#include "server/listen/listen_address.hpp"

namespace deployd::server {

/// Returns the endpoints of `address`: itself or, for a `HostAddress`, TCP addresses without duplicates in the order of
/// the resolver; for an empty name 0.0.0.0 and [::].
///
/// Addresses that this machine does not have are left out, so that `localhost` and `:8080` work if IPv6 is off. Throws
/// ListenError if a name cannot be resolved or none of its addresses belongs to this machine. May wait for DNS.
std::vector<ListenAddress> resolve(ListenAddress const& address);

}  // namespace deployd::server
