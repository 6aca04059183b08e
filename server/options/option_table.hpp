// The table of options, from which the flags, the help, the environment variables and the keys of the configuration
// file are generated.
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
  sync_command = 4096,
};

struct OptionSpec {
  std::string_view name;           // without dashes; also the key in the configuration file
  std::string_view argument;       // name of the value in the help; empty for a switch
  bool repeatable;                 // an array in the file, comma-separated in the environment
  std::string_view default_value;  // for the help; empty if there is none
  std::string_view help;
  unsigned commands;
};

std::span<OptionSpec const> option_table() noexcept;

/// Returns nothing if no command has an option with this name.
OptionSpec const* find_option(std::string_view name) noexcept;

/// Returns `DEPLOYD_JWT_ISSUER` for `jwt-issuer`.
std::string environment_name(std::string_view option);

/// True if SIGHUP applies the value of the option; changes of other options need a restart.
bool is_reloaded(std::string_view option) noexcept;

/// Returns the name of an option of these commands that is most similar to a mistyped name; empty if none is similar.
std::string_view nearest_option(std::string_view mistyped, unsigned commands);

}  // namespace deployd::server
