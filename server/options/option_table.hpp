// Every option of every command: the one place that the flags, the help, the environment and the configuration file
// are derived from.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace deployd::server {

/// The commands that an option belongs to, as bits of OptionSpec::commands.
enum CommandBit : unsigned {
  serve_command = 1,
  migrate_command = 2,
  import_command = 4,
  export_command = 8,
  token_create_command = 16,
  token_list_command = 32,
  token_revoke_command = 64,
  token_sign_command = 128,
  check_command = 256,
  backup_command = 512,
  token_check_command = 1024,
  healthcheck_command = 2048,
};

struct OptionSpec {
  std::string_view name;           // without dashes: also the key of the configuration file
  std::string_view argument;       // how the help calls the value; empty for a switch
  bool repeatable;                 // an array in the file, comma-separated in the environment
  std::string_view default_value;  // for the help; empty: none
  std::string_view help;
  unsigned commands;
};

std::span<OptionSpec const> option_table() noexcept;

/// Nothing when no command has an option of this name.
OptionSpec const* find_option(std::string_view name) noexcept;

/// `DEPLOYD_JWT_ISSUER` for `jwt-issuer`.
std::string environment_name(std::string_view option);

/// True for an option whose value SIGHUP puts in force; a change of another one needs a restart.
bool is_reloaded(std::string_view option) noexcept;

/// The name of an option of these commands that is nearest to a mistyped one; empty when none is near.
std::string_view nearest_option(std::string_view mistyped, unsigned commands);

}  // namespace deployd::server
