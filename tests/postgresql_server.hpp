// A real PostgreSQL for tests: its own directory, its own port, gone with the object.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/process.hpp"

namespace deployd::tests {

/// What stands before the command of a server of databases, so that it does not run as root and ends when the test
/// does.
std::vector<std::string> as_database_user();
/// Makes a file or directory that user's.
void give_to_database_user(std::filesystem::path const& path);

/// A port of 127.0.0.1 that is free now.
int free_port();

/// Runs the newest PostgreSQL installed below /usr/lib/postgresql, listening on 127.0.0.1 and on a Unix socket in a
/// temporary directory, without passwords and without syncing to disk. The server refuses to run as root: a test
/// that does runs it as `postgres` or, without such a user, as `nobody`.
class PostgresqlServer {
 public:
  /// Started and ready. Throws std::runtime_error, with the server's log, when that takes more than 60 s.
  /// `extra_settings` are lines of postgresql.conf.
  explicit PostgresqlServer(std::string_view extra_settings = {});
  /// A streaming standby of `primary`, with its databases and settings but for `extra_settings`.
  PostgresqlServer(PostgresqlServer const& primary, std::string_view extra_settings);
  ~PostgresqlServer();

  static bool installed();

  /// A new empty database; its URL over TCP.
  std::string create_database();

  /// `postgresql://postgres@127.0.0.1:PORT/DATABASE`.
  std::string url(std::string_view database = "postgres") const;
  /// The same over the Unix socket.
  std::string socket_url(std::string_view database = "postgres") const;
  int port() const noexcept { return port_; }

  /// Makes a standby the primary of its data; it is when this returns.
  void promote();
  /// Has the server run one statement, as its superuser, and waits for it.
  void execute(std::string const& statement, std::string_view database = "postgres") const;

  /// Ends the server and all its sessions at once, as a crash does.
  void crash();
  /// Starts it again on the same port; ready when it returns.
  void start();
  /// Stops every process of it (SIGSTOP), as a hanging disk or a lost host does: connections stay, answers do not come.
  void freeze();
  void thaw();

  /// What the server has logged.
  std::string log() const;

 private:
  void configure(std::string_view settings) const;
  void launch();
  void run_as_server_user(std::vector<std::string> arguments);
  void signal_all(int number);

  TemporaryDirectory directory_;
  int port_ = 0;
  bool port_is_known_ = false;  // to those who were given a URL
  int databases_ = 0;
  std::unique_ptr<Process> server_;
};

}  // namespace deployd::tests
