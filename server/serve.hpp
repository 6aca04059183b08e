// `deployd serve`: the server, from opening the store to the end of draining.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "auth/key_ring.hpp"
#include "server/options/settings.hpp"
#include "server/tls_context.hpp"
#include "storage/database.hpp"

namespace deployd::server {

/// A value of --listen that names a TCP endpoint: a numeric address, not a host name. Port 0 takes a free one.
struct TcpAddress {
  std::string host;  // as `127.0.0.1` or `::1`
  std::uint16_t port = 0;
};

/// A value of --listen that names a Unix domain socket: `unix:/run/deployd.sock`.
struct UnixAddress {
  std::string path;
};

using ListenAddress = std::variant<TcpAddress, UnixAddress>;

enum class AccessLog { off, json, text };

/// What `deployd serve` was told, parsed and checked; sizes in bytes.
struct ServeOptions {
  std::vector<ListenAddress> listen{TcpAddress{"127.0.0.1", 8080}};
  std::optional<ListenAddress> admin_listen;
  bool take_over = false;
  unsigned workers = 0;  // 0: the cores this process may run on
  storage::DatabaseOptions database;
  auth::KeyRingOptions keys;
  TlsOptions tls;
  std::vector<std::string> cors_origins{"*"};
  std::size_t max_connections = 10000;
  std::size_t max_connections_per_address = 0;  // 0: no limit
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};
  std::chrono::milliseconds write_timeout{30'000};
  std::chrono::milliseconds drain_delay{0};
  std::chrono::milliseconds drain_timeout{30'000};
  std::chrono::milliseconds stream_timeout{600'000};
  std::size_t stream_min_rate = std::size_t{64} << 10;  // bytes a second; 0: any
  std::size_t max_header_bytes = 16384;
  std::size_t max_target_bytes = 8192;
  std::size_t max_body_bytes = 65536;
  std::optional<double> rate_limit;  // requests a second per token
  std::size_t cache_bytes = std::size_t{64} << 20;
  AccessLog access_log = AccessLog::off;
  std::optional<std::string> access_log_file;  // unset: the lines go to the log
  // Where the addresses came from, for error lines.
  std::string listen_origin = "--listen";
  std::string admin_listen_origin = "--admin-listen";
};

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

/// An address of --listen, or a socket handed over, that is not to be had. `what()` is one line that names it.
class ListenError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the operating system does not give, of which the server needs some. `what()` is one line that says what to do.
class ResourceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace deployd::server
