// Implements `deployd serve`: the server, from opening the store to the end of draining.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "auth/jwt/key_ring.hpp"
#include "server/options/serve_options.hpp"
#include "server/options/settings.hpp"
#include "server/tls/context.hpp"

namespace deployd::server {

/// The configuration read on SIGHUP. Nothing of it has been applied yet.
struct ReloadedOptions {
  auth::KeyRingOptions keys;
  KeySourceOptions key_sources;
  TlsOptions tls;
  std::vector<std::string> need_restart;  // names of options that have changed but need a restart
  Settings settings;                      // all of them, for the log level and for naming the source of a bad value
};

/// Serves until SIGTERM or SIGINT, and returns the exit status after draining. Sockets passed by systemd replace
/// `options.listen`; systemd is notified of every state.
///
/// Throws `storage::Error`, `auth::KeyError`, `TlsError`, `ListenError` or `ResourceError` if it cannot start. On
/// SIGHUP `reread` reads the configuration again. If it throws, or a key or certificate cannot be loaded, the error is
/// logged and nothing changes; otherwise everything is applied together.
int serve(ServeOptions const& options, std::function<ReloadedOptions()> reread);

}  // namespace deployd::server
