// `deployd serve`: the server, from opening the store to the end of draining.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "auth/jwt/key_ring.hpp"
#include "server/options/serve_options.hpp"
#include "server/options/settings.hpp"
#include "server/tls/context.hpp"

namespace deployd::server {

/// What SIGHUP has read anew. Nothing of it is in force yet.
struct ReloadedOptions {
  auth::KeyRingOptions keys;
  TlsOptions tls;
  std::vector<std::string> need_restart;  // names of the options that have changed and are not put in force
  Settings settings;                      // all of them: for the log level, and to name where a bad value came from
};

/// Serves until SIGTERM or SIGINT and returns once drained; the exit status of the process. Sockets handed over by
/// systemd take the place of `options.listen`; systemd is told of every state.
///
/// Throws `storage::Error`, `auth::KeyError`, `TlsError`, `ListenError` or `ResourceError` when it cannot start. On
/// SIGHUP `reread` reads the configuration again. What it throws is logged and everything stays as it was, and so is a
/// key or certificate that cannot be loaded; otherwise all of it is put in force together.
int serve(ServeOptions const& options, std::function<ReloadedOptions()> reread);

}  // namespace deployd::server
