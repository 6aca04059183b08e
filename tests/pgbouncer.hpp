// A real pgbouncer for tests, before the PostgreSQL of a test.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/postgresql_server.hpp"

namespace deployd::tests {

/// Listens on 127.0.0.1 and has two sessions of the server for each database, however many clients there are.
class Pgbouncer {
 public:
  /// `pool_mode` as in pgbouncer.ini: `session` or `transaction`. Throws std::runtime_error when it does not start.
  Pgbouncer(PostgresqlServer const& server, std::string_view pool_mode, int pool_size = 2);

  /// `url` of the server, by way of pgbouncer.
  std::string url(std::string const& server_url) const;

  /// Ends it and all its sessions at once, as a crash does.
  void crash();
  /// Starts it again on the same port.
  void start();

 private:
  TemporaryDirectory directory_;
  int server_port_;
  int port_;
  std::unique_ptr<Process> pgbouncer_;
};

}  // namespace deployd::tests
