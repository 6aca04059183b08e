#include "server/commands/command_table.hpp"

#include <array>

#include "server/commands/commands.hpp"

namespace deployd::server {
namespace {

constexpr std::array commands{
    CommandSpec{
        serve_command, "serve", "serve the API", "",
        "Addresses are ADDR:PORT, [ADDR]:PORT, HOST:PORT, :PORT for all addresses, or unix:PATH. Times are 500ms, "
        "10s, 5m, 1h or 30d; sizes are bytes, or 64KiB, 64MiB, 1GiB. The log is written to standard error.\n"
        "SIGTERM finishes the requests in progress and ends deployd; SIGHUP reloads keys, certificates and log "
        "level.\n\n"
        "Example: deployd serve --database sqlite:deployd.db --listen :8080",
        nullptr},
    CommandSpec{migrate_command, "migrate", "create or upgrade the schema", "",
                "Prints one line: what was done. A current schema is left as it is.\n\n"
                "Example: deployd migrate --database postgresql://deployd@db.example.com/deployd",
                run_migrate},
    CommandSpec{
        import_command, "import", "load patterns and deployments, all or nothing", "FILE",
        "FILE is JSON or NDJSON as `deployd export` writes it, or CSV with a header line, also compressed with gzip "
        "or zstd; - is standard input. Rows with a known id are updated.\n\n"
        "Example: deployd import patterns.csv deployments.csv.gz",
        run_import},
    CommandSpec{
        export_command, "export", "write patterns and deployments to standard output", "",
        "Formats: json (default), one object with the arrays patterns and deployments; ndjson, one object "
        "{\"pattern\":{...}} or {\"deployment\":{...}} per line; csv, with a header line. `deployd import` reads "
        "all of them.\n\n"
        "Example: deployd export --format csv --table deployments > deployments.csv",
        run_export},
    CommandSpec{backup_command, "backup", "copy a SQLite store to FILE, also while it is served", "FILE",
                "FILE becomes a complete SQLite store. It must not exist.\n\n"
                "Example: deployd backup --database sqlite:deployd.db deployd-backup.db",
                run_backup},
    CommandSpec{
        sync_command, "sync", "make the store a mirror of another server of this API", "",
        "Reads the patterns of --pattern, or all patterns and deployments from another deployd. All changes are made "
        "in "
        "one transaction: if anything fails, the store keeps what it had. Prints what has changed; with --every it "
        "goes on and logs that instead, and SIGTERM ends it.\n\n"
        "Example: deployd sync --from https://app.metakraftwerk.com --token-file token --pattern CORE_DV_HLS --every "
        "5m",
        run_sync},
    CommandSpec{token_create_command, "create", "create an API token and print it, once", "",
                "Prints the token alone on one line: dpd_ and 43 characters. The store keeps only its hash.\n\n"
                "Example: deployd token create --name ci --expires 30d > token",
                run_token_create},
    CommandSpec{
        token_list_command, "list", "list the API tokens", "",
        "Formats: text (default), a header and one line per token, id first; json, an array of objects with id, "
        "name, created, expires, last_used and revoked. Times are UTC, as 2026-01-31T12:00:00Z. No format "
        "contains the tokens.\n\n"
        "Example: deployd token list --format json",
        run_token_list},
    CommandSpec{
        token_revoke_command, "revoke", "revoke an API token, by id or by name", "ID",
        "ID is the id of a token, as `deployd token list` prints it, or the name of exactly one token that is not "
        "revoked. A number is an id; if no token has it, a name.\n\n"
        "Example: deployd token revoke ci",
        run_token_revoke},
    CommandSpec{token_sign_command, "sign", "sign an HS256 JWT with the configured secret", "",
                "Prints the JWT alone on one line.\n\n"
                "Example: deployd token sign --jwt-secret-file secret --subject ci --ttl 1h",
                run_token_sign},
    CommandSpec{token_check_command, "check",
                "say whether the token on standard input would be accepted, and if not why", "",
                "Reads one API token or JWT, with or without `Bearer ` before it. Prints one line, which begins with "
                "`accepted:` (exit status 0) or `refused:` (65).\n\n"
                "Example: deployd token check --jwks keys.json < token",
                run_token_check},
    CommandSpec{check_command, "check", "read the configuration, open the store and report problems", "",
                "Prints one line per item: its name, ok or what is wrong, and a remedy.\n\n"
                "Example: deployd check --config /etc/deployd/deployd.toml",
                run_check},
    CommandSpec{
        healthcheck_command, "healthcheck", "exit with 0 if the server answers /healthz", "",
        "Asks the deployd that runs with the same options: at --admin-listen, or else at --listen. Prints nothing "
        "and exits with 0 if the answer is 200; otherwise prints one line and exits with 69.\n\n"
        "Example: deployd healthcheck --listen :8080 --timeout 2s",
        run_healthcheck},
};

}  // namespace

std::span<CommandSpec const> command_table() noexcept {
  return commands;
}

std::string full_name(CommandSpec const& command) {
  return ((command.bit & token_commands) != 0 ? "token " : "") + std::string(command.name);
}

}  // namespace deployd::server
