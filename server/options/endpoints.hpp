// The endpoints of --listen and --admin-listen.
#pragma once

#include <vector>

#include "server/options/serve_options.hpp"

namespace deployd::server {

/// The endpoints of one value, with host names resolved.
using Endpoints = std::vector<ListenAddress>;

/// Returns the endpoints of each value of --listen. Throws ListenError, with one line that names the source of the
/// value, if a name cannot be resolved or two values have an endpoint in common.
std::vector<Endpoints> resolve_listen(ServeOptions const& options);

/// Returns the endpoints of --admin-listen; none if it is off. Throws ListenError as above, also if one of them is in
/// `listen`.
Endpoints resolve_admin_listen(ServeOptions const& options, std::vector<Endpoints> const& listen);

}  // namespace deployd::server
