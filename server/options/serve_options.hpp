// From the settings to what the parts of the program are told.
#pragma once

#include "auth/key_ring.hpp"
#include "server/options/settings.hpp"
#include "server/serve.hpp"
#include "storage/database_url.hpp"
#include "storage/schema.hpp"

namespace deployd::server {

/// Where the data is, which every command but `token sign` needs.
struct StorePlace {
  storage::DatabaseUrl url;
  storage::Relations relations;
};

/// These throw UsageError or ConfigurationError for a bad value; a secret file that cannot be read is auth::KeyError.
StorePlace read_store_place(Settings const& settings);
auth::KeyRingOptions read_key_options(Settings const& settings);
TlsOptions read_tls_options(Settings const& settings);
std::size_t read_max_header_bytes(Settings const& settings);
ServeOptions read_serve_options(Settings const& settings);

}  // namespace deployd::server
