// The endpoints behind --listen and --admin-listen.
#pragma once

#include <vector>

#include "server/options/serve_options.hpp"

namespace deployd::server {

/// Those of one value each, with host names resolved.
using Endpoints = std::vector<ListenAddress>;

/// The endpoints of each value of --listen. Throws ListenError, with one line that says where the value came from, when
/// a name cannot be resolved or two values have an endpoint in common.
std::vector<Endpoints> resolve_listen(ServeOptions const& options);

/// The endpoints of --admin-listen; none when it is off. Throws ListenError as above, also when one is in `listen`.
Endpoints resolve_admin_listen(ServeOptions const& options, std::vector<Endpoints> const& listen);

}  // namespace deployd::server
