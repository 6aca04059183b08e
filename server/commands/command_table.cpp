#include "server/commands/command_table.hpp"

#include <array>

#include "server/commands/commands.hpp"

namespace deployd::server {
namespace {

using Operands = std::vector<std::string>;

template <int (*command)(Settings const&)>
int without_operands(Settings const& settings, Operands const&) {
  return command(settings);
}

int revoke_first(Settings const& settings, Operands const& ids) {
  return run_token_revoke(settings, ids.front());
}

constexpr std::array commands{
    CommandSpec{serve_command, "serve", "serve the API", "", nullptr},
    CommandSpec{migrate_command, "migrate", "create or upgrade the schema", "", without_operands<run_migrate>},
    CommandSpec{import_command, "import", "load patterns and deployments, all or nothing", "FILE", run_import},
    CommandSpec{export_command, "export", "write patterns and deployments to standard output", "",
                without_operands<run_export>},
    CommandSpec{backup_command, "backup", "copy a SQLite store to FILE, also while it is served", "FILE", run_backup},
    CommandSpec{token_create_command, "create", "create an API token and print it, once", "",
                without_operands<run_token_create>},
    CommandSpec{token_list_command, "list", "list the API tokens", "", without_operands<run_token_list>},
    CommandSpec{token_revoke_command, "revoke", "revoke an API token", "ID", revoke_first},
    CommandSpec{token_sign_command, "sign", "sign an HS256 JWT with the configured secret", "",
                without_operands<run_token_sign>},
    CommandSpec{token_check_command, "check",
                "say whether the token on standard input would be accepted, and if not why", "",
                without_operands<run_token_check>},
    CommandSpec{check_command, "check", "read the configuration, open the store and report problems", "",
                without_operands<run_check>},
};

}  // namespace

std::span<CommandSpec const> command_table() noexcept {
  return commands;
}

std::string full_name(CommandSpec const& command) {
  return ((command.bit & token_commands) != 0 ? "token " : "") + std::string(command.name);
}

}  // namespace deployd::server
