// The limit on descriptors of the process, and their distribution.
#pragma once

#include <cstddef>

#include "server/failure.hpp"

namespace deployd::server {

/// Raises the soft limit on open descriptors to `wanted` if it is lower, as far as the hard limit allows. Throws
/// UnavailableError if it remains below `needed`, without which no connection can be served.
void allow_descriptors(std::size_t needed, std::size_t wanted);

/// Returns the maximum number of open descriptors after raising the limit.
std::size_t hard_descriptor_limit() noexcept;

/// Descriptors that are open once the server can start, and descriptors that must remain available when all connections
/// are in use.
struct DescriptorReserve {
  std::size_t open;     // now
  std::size_t serving;  // for the admin address, the sessions of the store, reloads, the log
  std::size_t lists;    // for the sessions of long lists
};

/// Returns how many connections there can be, at most `wanted`, so that the reserve remains. Raises the soft limit as
/// far as needed and possible; logs a warning where that is not far enough. With very few descriptors long lists get
/// half of what is left. Throws UnavailableError when not a single connection is possible.
std::size_t connections_within_limit(std::size_t wanted, DescriptorReserve const& reserve);

/// Returns how many connections the admin address accepts at a time: 64, fewer under a low limit on descriptors.
std::size_t admin_connections() noexcept;

}  // namespace deployd::server
