// The table of commands, from which the command line, the manual and the shell completion are generated.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/options/option_table.hpp"
#include "server/options/settings.hpp"

namespace deployd::server {

/// A command: its description for the help, and its function.
struct CommandSpec {
  CommandBit bit;
  std::string_view name;  // of the subcommand of `token` if the bit is one of token_commands
  std::string_view help;
  std::string_view operand;  // as shown in the help; empty if there is none
  std::string_view more;     // the end of its help: formats, and an example
  /// Null for `serve`, which must read its settings again on SIGHUP.
  int (*run)(Settings const& settings, std::vector<std::string> const& operands);
};

constexpr unsigned token_commands =
    token_create_command | token_list_command | token_revoke_command | token_sign_command | token_check_command;

std::span<CommandSpec const> command_table() noexcept;

/// Returns `serve`, `token create`.
std::string full_name(CommandSpec const& command);

}  // namespace deployd::server
