// Every command: the one place that the command line, the manual and the completion of shells are derived from.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/options/option_table.hpp"
#include "server/options/settings.hpp"

namespace deployd::server {

/// One command as it stands in the help, and what it does.
struct CommandSpec {
  CommandBit bit;
  std::string_view name;  // of the subcommand, below `token` where the bit is one of token_commands
  std::string_view help;
  std::string_view operand;  // as the help names it; empty: it has none
  std::string_view more;     // what its help ends with: formats, and an example
  /// Null for `serve`, which has to gather its settings anew on SIGHUP.
  int (*run)(Settings const& settings, std::vector<std::string> const& operands);
};

constexpr unsigned token_commands =
    token_create_command | token_list_command | token_revoke_command | token_sign_command | token_check_command;

std::span<CommandSpec const> command_table() noexcept;

/// `serve`, `token create`.
std::string full_name(CommandSpec const& command);

}  // namespace deployd::server
