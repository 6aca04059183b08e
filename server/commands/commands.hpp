// The commands of the program. Each runs to its end and returns the exit status. `run` describes the exceptions.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "server/options/settings.hpp"

namespace deployd::server {

/// Thrown for invalid input data: exit status 65.
class DataError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown if output cannot be written: exit status 74, EX_IOERR of sysexits.h.
class OutputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown if a server does not respond as expected: exit status 69.
class UnavailableError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// `reread` reads the settings again, for SIGHUP.
int run_serve(Settings const& settings, std::function<Settings()> reread);
int run_check(Settings const& settings);
int run_healthcheck(Settings const& settings);
int run_migrate(Settings const& settings);
int run_import(Settings const& settings, std::vector<std::string> const& files);
int run_export(Settings const& settings);
int run_backup(Settings const& settings, std::vector<std::string> const& files);
int run_sync(Settings const& settings);
int run_token_create(Settings const& settings);
int run_token_list(Settings const& settings);
int run_token_revoke(Settings const& settings, std::string const& id_or_name);
int run_token_sign(Settings const& settings);
int run_token_check(Settings const& settings);

/// Writes all of `text` to standard output. Throws OutputError.
void print(std::string const& text);

}  // namespace deployd::server
