// Converts the settings to the options of the program's parts.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "auth/jwt/key_ring.hpp"
#include "server/keys/key_location.hpp"
#include "server/listen/listen_address.hpp"
#include "server/log/access_log.hpp"
#include "server/options/settings.hpp"
#include "server/tls/context.hpp"
#include "storage/database.hpp"
#include "storage/database_url.hpp"
#include "storage/relation_name.hpp"

namespace deployd::server {

/// The options of `deployd serve`, parsed and checked. Sizes are in bytes.
struct ServeOptions {
  std::vector<ListenAddress> listen{TcpAddress(boost::asio::ip::address_v4::loopback(), 8080)};
  std::optional<ListenAddress> admin_listen;
  bool take_over = false;
  unsigned workers = 0;  // 0: the cores available to this process
  storage::DatabaseOptions database;
  std::chrono::milliseconds wait_for_store{0};
  auth::KeyRingOptions keys;
  KeySourceOptions key_sources;
  TlsOptions tls;
  std::vector<std::string> cors_origins{"*"};
  bool page = true;  // serve the page at `/`
  std::size_t max_connections = 10000;
  std::size_t max_connections_per_address = 0;  // 0: no limit
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};
  std::chrono::milliseconds write_timeout{30'000};
  std::chrono::milliseconds drain_delay{0};
  std::chrono::milliseconds drain_timeout{30'000};
  std::chrono::milliseconds stream_timeout{600'000};
  std::size_t stream_min_rate = std::size_t{64} << 10;  // bytes per second; 0 for no minimum
  std::size_t max_header_bytes = 16384;
  std::size_t max_target_bytes = 8192;
  std::size_t max_body_bytes = 65536;
  std::optional<double> rate_limit;  // requests per second and token
  std::size_t cache_bytes = std::size_t{64} << 20;
  AccessLog access_log = AccessLog::off;
  std::optional<std::string> access_log_file;  // not set: the lines go to the log
  // The sources of the addresses, for error messages.
  std::string listen_origin = "--listen";
  std::string admin_listen_origin = "--admin-listen";
};

/// The location of the data, which every command but `token sign` needs.
struct StorePlace {
  storage::DatabaseUrl url;
  storage::Relations relations;
};

/// These throw UsageError or ConfigurationError for a bad value; a secret file that cannot be read is auth::KeyError.
StorePlace read_store_place(Settings const& settings);
storage::DatabaseOptions read_database_options(Settings const& settings);
auth::KeyRingOptions read_key_options(Settings const& settings);
std::chrono::milliseconds read_wait_for_store(Settings const& settings);
std::optional<std::string> read_state_directory(Settings const& settings);
KeySourceOptions read_key_source_options(Settings const& settings);
TlsOptions read_tls_options(Settings const& settings);
std::size_t read_max_header_bytes(Settings const& settings);
ServeOptions read_serve_options(Settings const& settings);

/// Reads only `listen`, `admin_listen`, `tls` and the origins of the addresses; the rest are defaults. Throws the same
/// exceptions.
ServeOptions read_address_options(Settings const& settings);

}  // namespace deployd::server
