// Implements `deployd serve`: the server, from opening the store to the end of draining.
#pragma once

#include <functional>

#include "server/options/serve_options.hpp"
#include "server/options/settings.hpp"

namespace deployd::server {

/// Serves until SIGTERM or SIGINT, and returns the exit status after draining. Sockets passed by systemd replace
/// `options.listen`; systemd is notified of every state.
///
/// Throws `storage::Error`, `auth::KeyError` or a Failure if it cannot start. `options` are those of `settings`. On
/// SIGHUP `reread` reads the settings again. If it throws, or an option, key or certificate is bad, the error is logged
/// and nothing changes; otherwise everything is applied together.
int serve(ServeOptions const& options, Settings const& settings, std::function<Settings()> reread);

}  // namespace deployd::server
