#include "server/options/option_table.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/nearest_name.hpp"

namespace deployd::server {
namespace {

constexpr unsigned serving = serve_command | check_command;
constexpr unsigned checking_tokens = serving | token_check_command;
constexpr unsigned token_storing =
    token_create_command | token_list_command | token_revoke_command | token_check_command;
constexpr unsigned storing = serving | migrate_command | import_command | export_command | sync_command | token_storing;
constexpr unsigned asking = serving | healthcheck_command;
constexpr unsigned all = storing | backup_command | token_sign_command | healthcheck_command;

constexpr std::array options{
    OptionSpec{"config", "FILE", false, "", "read options from this TOML file", all},
    OptionSpec{"database", "URL", false, "sqlite:deployd.db",
               "sqlite:PATH, or a libpq URL: postgresql://user@host1,host2/db?...", all},
    OptionSpec{"wait-for-store", "TIME", false, "0s",
               "at the start, wait this long for a store that is unavailable; `serve` also waits for its schema",
               serve_command | migrate_command | import_command | sync_command},
    OptionSpec{"patterns-relation", "NAME", false, "", "PostgreSQL: read patterns from this table or view", storing},
    OptionSpec{"deployments-relation", "NAME", false, "", "PostgreSQL: read deployments from this table or view",
               storing},
    OptionSpec{"log-format", "json|text", false, "text", "format of log lines", all},
    OptionSpec{"log-level", "debug|info|warn|error", false, "info", "least important level that is logged", all},

    OptionSpec{"listen", "ADDR:PORT", true, "127.0.0.1:8080",
               "address of the API; also [::1]:8080, localhost:8080, :8080 (all addresses) and unix:/run/deployd.sock",
               asking},
    OptionSpec{"admin-listen", "ADDR:PORT", false, "",
               "address of /metrics, /healthz and /readyz; written like --listen", asking},
    OptionSpec{"take-over", "", false, "", "take over the sockets of the deployd that serves these addresses", serving},
    OptionSpec{"workers", "N", false, "", "event loops, one thread each (default: the usable cores)", serving},
    OptionSpec{"jwt-secret-file", "FILE", false, "",
               "HS256/384/512 secret: the bytes of the file without one trailing newline; overrides DEPLOYD_JWT_SECRET",
               checking_tokens | token_sign_command},
    OptionSpec{"jwt-public-key", "FILE", true, "", "PEM public key for RS, PS, ES and EdDSA; reloaded on SIGHUP",
               checking_tokens},
    OptionSpec{"jwks", "FILE", true, "", "JSON Web Key Set: a file or an https URL; reloaded on SIGHUP",
               checking_tokens},
    OptionSpec{"oidc-issuer", "URL", false, "",
               "find the JSON Web Key Set of this issuer by OpenID discovery; sets --jwt-issuer", checking_tokens},
    OptionSpec{"jwks-refresh", "TIME", false, "5m", "fetch key sets from URLs again after this time", serving},
    OptionSpec{"jwks-ca", "FILE", false, "",
               "PEM certificate authorities for URLs of keys (default: those of the system)", checking_tokens},
    OptionSpec{
        "state-directory", "DIRECTORY", false, "",
        "keep in this directory the last good key set of each URL, for a start without network, and the age of a "
        "mirror (default: STATE_DIRECTORY, set by systemd)",
        checking_tokens | sync_command},
    OptionSpec{"jwt-issuer", "TEXT", false, "", "required `iss` of JWTs; `token sign` writes it",
               checking_tokens | token_sign_command},
    OptionSpec{"jwt-audience", "TEXT", false, "", "required `aud` of JWTs; `token sign` writes it",
               checking_tokens | token_sign_command},
    OptionSpec{"jwt-leeway", "SECONDS", false, "30", "tolerance for `exp` and `nbf`", checking_tokens},
    OptionSpec{"tls-cert", "FILE", true, "",
               "HTTPS: PEM certificate with its chain; SNI selects one of several; reloaded on SIGHUP", asking},
    OptionSpec{"tls-key", "FILE", true, "", "PEM key of the --tls-cert at the same position, not encrypted", asking},
    OptionSpec{"tls-client-ca", "FILE", false, "",
               "PEM certificate authorities; clients need a certificate of one of them", asking},
    OptionSpec{"cors-origin", "ORIGIN", true, "*", "origins whose scripts may call the API", serving},
    OptionSpec{"max-connections", "N", false, "10000", "connections at a time; further ones wait in the backlog",
               serving},
    OptionSpec{"max-connections-per-address", "N", false, "0",
               "connections per client address or IPv6 /64; further ones are reset; 0: no limit", serving},
    OptionSpec{"header-timeout", "TIME", false, "10s", "time for a request to arrive; after it 408", serving},
    OptionSpec{"idle-timeout", "TIME", false, "60s", "time between two requests of a connection", serving},
    OptionSpec{"write-timeout", "TIME", false, "30s", "time that a client may read nothing", serving},
    OptionSpec{"drain-delay", "TIME", false, "0s", "after SIGTERM, keep serving with /readyz at 503 before draining",
               serving},
    OptionSpec{"drain-timeout", "TIME", false, "30s", "time for requests in progress after SIGTERM", serving},
    OptionSpec{"stream-timeout", "TIME", false, "10m", "time for a streamed list, from first byte to last", serving},
    OptionSpec{"stream-min-rate", "SIZE", false, "64KiB",
               "bytes per second that the reader of a streamed list must take on average; 0: any rate", serving},
    OptionSpec{"max-header-bytes", "SIZE", false, "16384", "size of the header fields; beyond it 431", checking_tokens},
    OptionSpec{"max-target-bytes", "SIZE", false, "8192", "size of the target; beyond it 414", serving},
    OptionSpec{"max-body-bytes", "SIZE", false, "65536", "size of a body; beyond it 413", serving},
    OptionSpec{"rate-limit", "N/s", false, "", "requests per second and token; beyond it 429", serving},
    OptionSpec{"store-sessions", "N", false, "8", "PostgreSQL sessions", serving},
    OptionSpec{"store-timeout", "TIME", false, "5s", "time for a query, waiting included; after it 503", serving},
    OptionSpec{"cache-bytes", "SIZE", false, "64MiB", "size of the response cache; 0 turns it off", serving},
    OptionSpec{"no-page", "", false, "", "do not serve the page at /", serving},
    OptionSpec{"access-log", "off|json|text", false, "off", "one line per request, to stderr or --access-log-file",
               serving},
    OptionSpec{"access-log-file", "FILE", false, "",
               "write the access log to this file; reopened on SIGHUP; implies --access-log text unless that is set",
               serving},

    OptionSpec{"format", "FORMAT", false, "",
               "export: json (default), ndjson or csv; token list: text (default) or json",
               export_command | token_list_command},
    OptionSpec{"table", "patterns|deployments", false, "", "write only this table (default: both)", export_command},
    OptionSpec{"replace", "", false, "", "delete all rows that the files do not have, in the same transaction",
               import_command},
    OptionSpec{"dry-run", "", false, "", "say what would change, and change nothing", import_command | sync_command},
    OptionSpec{"from", "URL", false, "", "the server to mirror, without the path of the API: https://HOST",
               sync_command},
    OptionSpec{"token-file", "FILE", false, "", "token for that server; read again before each round", sync_command},
    OptionSpec{"pattern", "NAME", true, "", "mirror the deployments of this pattern (default: everything)",
               sync_command},
    OptionSpec{"ca", "FILE", false, "", "PEM certificate authorities for that server (default: those of the system)",
               sync_command},
    OptionSpec{"every", "TIME", false, "", "renew the mirror again and again, after this time (default: once)",
               sync_command},
    OptionSpec{"name", "NAME", false, "", "name of the token in lists", token_create_command},
    OptionSpec{"expires", "TIME", false, "", "validity of the token, for example 30d (default: until revoked)",
               token_create_command},
    OptionSpec{"subject", "TEXT", false, "", "`sub` of the JWT", token_sign_command},
    OptionSpec{"timeout", "TIME", false, "5s", "time for the answer of the server", healthcheck_command},
    OptionSpec{"ttl", "TIME", false, "1h", "validity of the JWT", token_sign_command},
};

constexpr std::array reloaded{"jwt-secret-file", "jwt-public-key",  "jwks",          "oidc-issuer",  "jwks-refresh",
                              "jwks-ca",         "state-directory", "jwt-issuer",    "jwt-audience", "jwt-leeway",
                              "tls-cert",        "tls-key",         "tls-client-ca", "log-level"};

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

std::string_view nearest_option(std::string_view mistyped, unsigned commands) {
  std::vector<std::string_view> names;
  for (auto const& option : options)
    if ((option.commands & commands) != 0) names.push_back(option.name);
  return base::nearest_name(mistyped, names);
}

}  // namespace deployd::server
