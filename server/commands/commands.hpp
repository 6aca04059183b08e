// The commands of the program. Each runs to its end and returns the exit status. `run` describes the exceptions.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/options/serve_options.hpp"
#include "server/options/settings.hpp"

namespace deployd::storage {
struct RowChanges;
}

namespace deployd::server {

using Operands = std::vector<std::string>;

/// `reread` reads the settings again, for SIGHUP.
int run_serve(Settings const& settings, std::function<Settings()> reread);
int run_check(Settings const& settings, Operands const& none);
int run_healthcheck(Settings const& settings, Operands const& none);
int run_migrate(Settings const& settings, Operands const& none);
int run_import(Settings const& settings, Operands const& files);
int run_export(Settings const& settings, Operands const& none);
int run_backup(Settings const& settings, Operands const& files);
int run_sync(Settings const& settings, Operands const& none);
int run_token_create(Settings const& settings, Operands const& none);
int run_token_list(Settings const& settings, Operands const& none);
int run_token_revoke(Settings const& settings, Operands const& ids);
int run_token_sign(Settings const& settings, Operands const& none);
int run_token_check(Settings const& settings, Operands const& none);

/// Waits as long as --wait-for-store says until the schema of the store can be read. For a command that reads its input
/// once, and so cannot try twice. A signal ends the process with `status_of_signal`: 69 is that for a store that is
/// unavailable.
void await_store(Settings const& settings, StorePlace const& place, int status_of_signal = 69);

/// Returns `patterns: 1 added, 0 updated, 2 unchanged, 0 deleted`.
std::string describe(std::string_view table, storage::RowChanges const& changes);

/// Writes all of `text` to standard output. Throws OutputError.
void print(std::string const& text);

}  // namespace deployd::server
