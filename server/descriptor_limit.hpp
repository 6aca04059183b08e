// How many descriptors the process may have.
#pragma once

#include <cstddef>

namespace deployd::server {

/// Raises the soft limit on open descriptors to `wanted` where it is lower, as far as the hard limit allows; says in
/// the log when that is not far enough. Past the limit, connections wait in the backlog. Throws ResourceError when it
/// is not even `needed`, without which no connection can be served.
void allow_descriptors(std::size_t needed, std::size_t wanted);

}  // namespace deployd::server
