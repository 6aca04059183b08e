#include "server/options/serve_options.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "auth/jwt/hmac_secret.hpp"
#include "auth/key_file.hpp"
#include "server/listen/listener.hpp"
#include "server/options/values.hpp"
#include "storage/relation_name.hpp"

namespace deployd::server {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest = std::chrono::hours(24 * 365);
constexpr std::size_t mib = std::size_t{1} << 20;

storage::DatabaseUrl to_database_url(std::string_view text) {
  auto url = storage::parse_database_url(text);
  if (!url) throw std::invalid_argument(storage::database_url_complaint(text));
  return std::move(*url);
}

std::string to_relation(std::string_view text) {
  if (!storage::quote_relation(text))
    throw std::invalid_argument(fmt::format("'{}' is not a name like schema.table", text));
  return std::string(text);
}

void read_time(Settings const& settings, std::string_view option, milliseconds least, milliseconds& value) {
  auto const parse = [least](std::string_view text) { return parse_duration(text, {least, longest}); };
  value = settings.read(option, parse).value_or(value);
}

void read_size(Settings const& settings, std::string_view option, Between<std::size_t> range, std::size_t& value) {
  auto const parse = [range](std::string_view text) { return parse_size(text, range); };
  value = settings.read(option, parse).value_or(value);
}

template <typename Number>
void read_count(Settings const& settings, std::string_view option, Between<std::uint64_t> range, Number& value) {
  auto const parse = [range](std::string_view text) { return parse_count(text, range); };
  if (auto const given = settings.read(option, parse)) value = static_cast<Number>(*given);
}

/// Parses a number of seconds, or a duration.
std::chrono::seconds to_leeway(std::string_view text) {
  auto const bare = text.find_first_not_of("0123456789") == text.npos;
  auto const time = parse_duration(bare ? std::string(text) + "s" : std::string(text), {milliseconds(0), longest});
  return std::chrono::floor<std::chrono::seconds>(time);
}

void take_secret(auth::HmacSecret secret, auth::KeyRingOptions& keys) {
  keys.secret = std::move(secret.bytes);
  keys.secret_origin = std::move(secret.origin);
  keys.complaints = std::move(secret.complaints);
}

/// Returns a warning if others can read a configuration file that contains the password of the database.
std::optional<std::string> password_exposure(Settings const& settings) {
  auto const* const config = settings.find("config");
  auto const* const database = settings.find("database");
  if (config == nullptr || database == nullptr) return std::nullopt;
  auto const& file = config->values.front();
  if (!database->origin.starts_with(file + ':')) return std::nullopt;
  if (!storage::holds_password(to_database_url(database->values.front()))) return std::nullopt;
  return auth::exposure_of(auth::read_key_file(file), "the password of --database");
}

/// True if a value of --jwks is a URL and not a file.
bool is_url(std::string_view text) noexcept {
  return text.find("://") != text.npos;
}

Url to_key_url(std::string_view text) {
  auto url = parse_url(text);
  // Unreadable URLs are not shown: they may hold a password.
  if (!url) throw std::invalid_argument("the URL cannot be used: " + url.error().what);
  if (!url->tls && !is_loopback(*url))
    throw std::invalid_argument(
        fmt::format("'{}' is not https; http is allowed for loopback addresses only", shown(*url)));
  return *std::move(url);
}

KeyLocation to_issuer(std::string_view text) {
  auto url = to_key_url(text);
  if (text.find('?') != text.npos)
    throw std::invalid_argument(fmt::format("'{}' has a query, which an issuer cannot have", shown(url)));
  return {std::move(url), std::string(text)};
}

/// Returns the issuer that tokens must name: that of --jwt-issuer or --oidc-issuer.
std::optional<std::string> read_issuer(Settings const& settings) {
  auto const discovered = settings.read("oidc-issuer", to_issuer);
  auto issuer = settings.read("jwt-issuer", as_text);
  if (!discovered) return issuer;
  if (issuer && *issuer != *discovered->issuer)
    Settings::refuse(*settings.find("jwt-issuer"),
                     fmt::format("'{}' is not the issuer '{}' of --oidc-issuer; leave one of them out", *issuer,
                                 *discovered->issuer));
  return discovered->issuer;
}

/// Returns the directory that systemd gives a unit with StateDirectory=, or nothing.
std::optional<std::string> systemd_state_directory() {
  auto const* const directories = std::getenv("STATE_DIRECTORY");
  if (directories == nullptr || *directories == '\0') return std::nullopt;
  std::string_view const all(directories);
  return std::string(all.substr(0, all.find(':')));
}

std::optional<std::string> state_directory(Settings const& settings) {
  auto directory = settings.read("state-directory", as_text);
  return directory ? directory : systemd_state_directory();
}

/// Returns why nothing can be kept in the directory, or an empty text. It can be missing if it can be created.
std::string fault_of_directory(std::filesystem::path path) {
  std::error_code failure;
  auto status = std::filesystem::status(path, failure);
  if (status.type() == std::filesystem::file_type::not_found) {
    path = std::filesystem::absolute(path).parent_path();
    status = std::filesystem::status(path, failure);
  }
  switch (status.type()) {
    case std::filesystem::file_type::directory: break;
    case std::filesystem::file_type::not_found: return "there is no such directory; create it for the user of deployd";
    case std::filesystem::file_type::none: return failure.message();
    default: return "is not a directory";
  }
  return ::access(path.c_str(), R_OK | W_OK | X_OK) == 0 ? "" : std::generic_category().message(errno);
}

void require_directory(Settings const& settings, std::string const& path) {
  auto const fault = fault_of_directory(path);
  if (fault.empty()) return;
  if (auto const* const setting = settings.find("state-directory"))
    Settings::refuse(*setting, fmt::format("{}: {}", path, fault));
  throw ConfigurationError(fmt::format("STATE_DIRECTORY: {}: {}; or give --state-directory", path, fault));
}

void refuse_shared_addresses(Settings const& settings, ServeOptions const& options) {
  auto const& all = options.listen;
  for (auto one = all.begin(); one != all.end(); ++one) {
    auto const name = to_string(*one);
    for (auto before = all.begin(); before != one; ++before) {
      if (!overlap(*before, *one)) continue;
      auto const other = to_string(*before);
      Settings::refuse(*settings.find("listen"), name == other ? fmt::format("'{}' is given twice", name)
                                                               : fmt::format("'{}' and '{}' overlap", other, name));
    }
    if (options.admin_listen && overlap(*one, *options.admin_listen))
      Settings::refuse(*settings.find("admin-listen"),
                       fmt::format("'{}' overlaps with '{}' of --listen", to_string(*options.admin_listen), name));
  }
}

}  // namespace

StorePlace read_store_place(Settings const& settings) {
  StorePlace place{to_database_url("sqlite:deployd.db"),
                   {settings.read("patterns-relation", to_relation).value_or(""),
                    settings.read("deployments-relation", to_relation).value_or("")}};
  if (auto url = settings.read("database", to_database_url)) place.url = std::move(*url);
  if (place.relations.foreign() && std::holds_alternative<storage::SqliteUrl>(place.url))
    Settings::refuse(*settings.find(place.relations.patterns.empty() ? "deployments-relation" : "patterns-relation"),
                     "needs a PostgreSQL store");
  if (place.relations.patterns.empty() == place.relations.deployments.empty()) return place;
  auto const given = place.relations.patterns.empty() ? "deployments-relation" : "patterns-relation";
  auto const missing = place.relations.patterns.empty() ? "patterns-relation" : "deployments-relation";
  Settings::refuse(*settings.find(given), fmt::format("needs --{} beside it", missing));
}

storage::DatabaseOptions read_database_options(Settings const& settings) {
  auto place = read_store_place(settings);
  storage::DatabaseOptions options;
  options.url = std::move(place.url);
  options.relations = std::move(place.relations);
  return options;
}

milliseconds read_wait_for_store(Settings const& settings) {
  milliseconds wait{0};
  read_time(settings, "wait-for-store", milliseconds(0), wait);
  return wait;
}

std::optional<std::string> read_state_directory(Settings const& settings) {
  auto directory = state_directory(settings);
  if (directory) require_directory(settings, *directory);
  return directory;
}

auth::KeyRingOptions read_key_options(Settings const& settings) {
  auth::KeyRingOptions keys;
  if (auto const* const file = settings.find("jwt-secret-file")) {
    take_secret(auth::read_secret_file(file->values.front()), keys);
  } else if (auto const* const secret = std::getenv("DEPLOYD_JWT_SECRET"); secret != nullptr && *secret != '\0') {
    take_secret(auth::secret_of_variable("DEPLOYD_JWT_SECRET", secret), keys);
  }
  keys.public_key_files = settings.read_all("jwt-public-key", as_text);
  for (auto& value : settings.read_all("jwks", as_text))
    if (!is_url(value)) keys.jwks_files.push_back(std::move(value));
  keys.issuer = read_issuer(settings);
  keys.audience = settings.read("jwt-audience", as_text);
  keys.leeway = settings.read("jwt-leeway", to_leeway).value_or(keys.leeway);
  return keys;
}

KeySourceOptions read_key_source_options(Settings const& settings) {
  KeySourceOptions sources;
  auto const to_location = [](std::string_view text) {
    return is_url(text) ? std::optional(KeyLocation{to_key_url(text), std::nullopt}) : std::nullopt;
  };
  for (auto& location : settings.read_all("jwks", to_location)) {
    if (!location) continue;
    if (std::ranges::find(sources.locations, *location) != sources.locations.end())
      Settings::refuse(*settings.find("jwks"), fmt::format("'{}' is given twice", name_of(*location)));
    sources.locations.push_back(*std::move(location));
  }
  if (auto issuer = settings.read("oidc-issuer", to_issuer)) sources.locations.push_back(*std::move(issuer));
  read_time(settings, "jwks-refresh", milliseconds(1000), sources.refresh);
  sources.ca_file = settings.read("jwks-ca", as_text);
  sources.state_directory = state_directory(settings);
  return sources;
}

TlsOptions read_tls_options(Settings const& settings) {
  auto const certificates = settings.read_all("tls-cert", as_text);
  auto const keys = settings.read_all("tls-key", as_text);
  if (certificates.size() > keys.size()) throw ConfigurationError("--tls-key is missing: each --tls-cert needs one");
  if (keys.size() > certificates.size()) throw ConfigurationError("--tls-cert is missing: each --tls-key needs one");
  TlsOptions options;
  for (std::size_t i = 0; i < keys.size(); ++i) options.certificates.push_back({certificates[i], keys[i]});
  options.client_ca_file = settings.read("tls-client-ca", as_text);
  if (options.client_ca_file && keys.empty())
    throw ConfigurationError("--tls-cert is missing: --tls-client-ca needs --tls-cert and --tls-key");
  return options;
}

std::size_t read_max_header_bytes(Settings const& settings) {
  auto bytes = ServeOptions().max_header_bytes;
  read_size(settings, "max-header-bytes", {64, 16 * mib}, bytes);
  return bytes;
}

ServeOptions read_address_options(Settings const& settings) {
  ServeOptions options;
  if (auto listen = settings.read_all("listen", parse_listen_address); !listen.empty())
    options.listen = std::move(listen);
  options.admin_listen = settings.read("admin-listen", parse_listen_address);
  options.listen_origin = settings.origin_of("listen");
  options.admin_listen_origin = settings.origin_of("admin-listen");
  refuse_shared_addresses(settings, options);
  options.tls = read_tls_options(settings);
  return options;
}

ServeOptions read_serve_options(Settings const& settings) {
  auto options = read_address_options(settings);
  options.database = read_database_options(settings);
  options.wait_for_store = read_wait_for_store(settings);
  options.take_over = settings.read("take-over", parse_switch).value_or(false);
  read_count(settings, "workers", {1, 1024}, options.workers);
  if (auto origins = settings.read_all("cors-origin", parse_origin); !origins.empty())
    options.cors_origins = std::move(origins);
  read_count(settings, "max-connections", {1, 10'000'000}, options.max_connections);
  read_count(settings, "max-connections-per-address", {0, 10'000'000}, options.max_connections_per_address);
  read_time(settings, "header-timeout", milliseconds(1), options.header_timeout);
  read_time(settings, "idle-timeout", milliseconds(1), options.idle_timeout);
  read_time(settings, "write-timeout", milliseconds(1), options.write_timeout);
  read_time(settings, "drain-delay", milliseconds(0), options.drain_delay);
  read_time(settings, "drain-timeout", milliseconds(0), options.drain_timeout);
  read_time(settings, "stream-timeout", milliseconds(1), options.stream_timeout);
  read_size(settings, "stream-min-rate", {0, 1024 * mib}, options.stream_min_rate);
  options.max_header_bytes = read_max_header_bytes(settings);
  read_size(settings, "max-target-bytes", {1, 16 * mib}, options.max_target_bytes);
  read_size(settings, "max-body-bytes", {0, 1024 * mib}, options.max_body_bytes);
  options.rate_limit = settings.read("rate-limit", parse_rate);
  read_count(settings, "store-sessions", {1, 1000}, options.database.sessions);
  read_time(settings, "store-timeout", milliseconds(1), options.database.timeout);
  read_size(settings, "cache-bytes", {0, std::size_t{1} << 40}, options.cache_bytes);
  options.page = !settings.read("no-page", parse_switch).value_or(false);
  options.access_log_file = settings.read("access-log-file", as_text);
  options.access_log =
      settings
          .read("access-log",
                one_of<AccessLog>({{"off", AccessLog::off}, {"json", AccessLog::json}, {"text", AccessLog::text}}))
          .value_or(options.access_log_file ? AccessLog::text : AccessLog::off);
  options.keys = read_key_options(settings);
  if (auto exposure = password_exposure(settings)) options.keys.complaints.push_back(*std::move(exposure));
  options.key_sources = read_key_source_options(settings);
  if (options.key_sources.state_directory && !options.key_sources.locations.empty())
    require_directory(settings, *options.key_sources.state_directory);
  return options;
}

}  // namespace deployd::server
