#include "server/options/option_table.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace deployd::server {
namespace {

constexpr unsigned serving = serve_command | check_command;
constexpr unsigned checking_tokens = serving | token_check_command;
constexpr unsigned token_storing =
    token_create_command | token_list_command | token_revoke_command | token_check_command;
constexpr unsigned storing = serving | migrate_command | import_command | export_command | token_storing;
constexpr unsigned all = storing | backup_command | token_sign_command;

constexpr std::array options{
    OptionSpec{"config", "FILE", false, "", "read options from this TOML file", all},
    OptionSpec{"database", "URL", false, "sqlite:deployd.db",
               "sqlite:PATH, or a libpq URL: postgresql://user@host1,host2/db?...", all},
    OptionSpec{"patterns-relation", "NAME", false, "", "PostgreSQL: read patterns from this table or view", storing},
    OptionSpec{"deployments-relation", "NAME", false, "", "PostgreSQL: read deployments from this table or view",
               storing},
    OptionSpec{"log-format", "json|text", false, "text", "how log lines look", all},
    OptionSpec{"log-level", "debug|info|warn|error", false, "info", "the least important lines that are logged", all},

    OptionSpec{"listen", "ADDR:PORT", true, "127.0.0.1:8080",
               "where the API is served; also [::1]:8080 and unix:/run/deployd.sock", serving},
    OptionSpec{"admin-listen", "ADDR:PORT", false, "",
               "where /metrics, /healthz and /readyz are served too; also [::1]:9090 and unix:PATH", serving},
    OptionSpec{"take-over", "", false, "", "listen on an address beside the deployd that serves it now", serving},
    OptionSpec{"workers", "N", false, "", "event loops, one thread each (default: the cores it may run on)", serving},
    OptionSpec{"jwt-secret-file", "FILE", false, "",
               "HS256/384/512 secret: the file's bytes less one trailing newline; wins over DEPLOYD_JWT_SECRET",
               checking_tokens | token_sign_command},
    OptionSpec{"jwt-public-key", "FILE", true, "", "PEM key for RS, PS, ES and EdDSA; read again on SIGHUP",
               checking_tokens},
    OptionSpec{"jwks", "FILE", true, "", "JSON Web Key Set; read again on SIGHUP", checking_tokens},
    OptionSpec{"jwt-issuer", "TEXT", false, "", "the `iss` that a JWT must have (and that `token sign` writes)",
               checking_tokens | token_sign_command},
    OptionSpec{"jwt-audience", "TEXT", false, "", "the `aud` that a JWT must have (and that `token sign` writes)",
               checking_tokens | token_sign_command},
    OptionSpec{"jwt-leeway", "SECONDS", false, "30", "for `exp` and `nbf`", checking_tokens},
    OptionSpec{
        "tls-cert", "FILE", true, "",
        "HTTPS on the TCP addresses: PEM certificate with its chain; several are chosen by SNI; read again on SIGHUP",
        serving},
    OptionSpec{"tls-key", "FILE", true, "", "PEM key of the --tls-cert in the same place, not encrypted", serving},
    OptionSpec{"tls-client-ca", "FILE", false, "", "PEM authorities: clients must have a certificate of one of them",
               serving},
    OptionSpec{"cors-origin", "ORIGIN", true, "*", "which pages' scripts may call", serving},
    OptionSpec{"max-connections", "N", false, "10000", "past it, connections wait in the backlog", serving},
    OptionSpec{
        "max-connections-per-address", "N", false, "0",
        "connections that one client address may have, an IPv6 /64 being one; past it they are closed; 0: no limit",
        serving},
    OptionSpec{"header-timeout", "TIME", false, "10s", "for a request to arrive", serving},
    OptionSpec{"idle-timeout", "TIME", false, "60s", "between two requests of a connection", serving},
    OptionSpec{"write-timeout", "TIME", false, "30s", "for a client that does not read", serving},
    OptionSpec{"drain-delay", "TIME", false, "0s", "after SIGTERM, serve on with /readyz saying 503 before draining",
               serving},
    OptionSpec{"drain-timeout", "TIME", false, "30s", "for answers under way after SIGTERM", serving},
    OptionSpec{"stream-timeout", "TIME", false, "10m", "a streamed list, from first byte to last", serving},
    OptionSpec{"stream-min-rate", "SIZE", false, "64KiB", "a second that the reader of a streamed list must take",
               serving},
    OptionSpec{"max-header-bytes", "SIZE", false, "16384", "past it 431", checking_tokens},
    OptionSpec{"max-target-bytes", "SIZE", false, "8192", "past it 414", serving},
    OptionSpec{"max-body-bytes", "SIZE", false, "65536", "past it 413", serving},
    OptionSpec{"rate-limit", "N/s", false, "", "requests a second of one token; past it 429", serving},
    OptionSpec{"store-sessions", "N", false, "8", "PostgreSQL sessions", serving},
    OptionSpec{"store-timeout", "TIME", false, "5s", "a query, waiting included; past it 503", serving},
    OptionSpec{"cache-bytes", "SIZE", false, "64MiB", "rendered answers kept; 0 turns the cache off", serving},
    OptionSpec{"access-log", "off|json|text", false, "off", "a line a request, to stderr or --access-log-file",
               serving},
    OptionSpec{"access-log-file", "FILE", false, "",
               "write the access log to this file; reopened on SIGHUP; implies --access-log text unless that is set",
               serving},

    OptionSpec{"format", "FORMAT", false, "", "export: json (default) or ndjson; token list: text (default) or json",
               export_command | token_list_command},
    OptionSpec{"name", "NAME", false, "", "what the token is called in lists", token_create_command},
    OptionSpec{"expires", "TIME", false, "", "how long the token is good, as 30d (default: until revoked)",
               token_create_command},
    OptionSpec{"subject", "TEXT", false, "", "whose token it is: the `sub` of the JWT", token_sign_command},
    OptionSpec{"ttl", "TIME", false, "1h", "how long the JWT is good", token_sign_command},
};

constexpr std::array reloaded{"jwt-secret-file", "jwt-public-key", "jwks",    "jwt-issuer",    "jwt-audience",
                              "jwt-leeway",      "tls-cert",       "tls-key", "tls-client-ca", "log-level"};

/// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      auto const replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::span<OptionSpec const> option_table() noexcept {
  return options;
}

OptionSpec const* find_option(std::string_view name) noexcept {
  auto const* const found = std::ranges::find(options, name, &OptionSpec::name);
  return found == options.end() ? nullptr : found;
}

std::string environment_name(std::string_view option) {
  std::string name = "DEPLOYD_";
  for (char const c : option) name += c == '-' ? '_' : static_cast<char>(c - 'a' + 'A');
  return name;
}

bool is_reloaded(std::string_view option) noexcept {
  return std::ranges::find(reloaded, option) != reloaded.end();
}

std::string_view nearest_name(std::string_view mistyped, std::vector<std::string_view> const& names) {
  std::string_view nearest;
  auto least = std::min<std::size_t>(3, mistyped.size() / 2 + 1);
  for (auto const name : names) {
    auto const far = distance(mistyped, name);
    if (far >= least) continue;
    least = far;
    nearest = name;
  }
  return nearest;
}

std::string_view nearest_option(std::string_view mistyped, unsigned commands) {
  std::vector<std::string_view> names;
  for (auto const& option : options)
    if ((option.commands & commands) != 0) names.push_back(option.name);
  return nearest_name(mistyped, names);
}

}  // namespace deployd::server
