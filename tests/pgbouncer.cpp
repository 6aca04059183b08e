#include "tests/pgbouncer.hpp"

#include <signal.h>

namespace deployd::tests {

Pgbouncer::Pgbouncer(PostgresqlServer const& server, std::string_view pool_mode, int pool_size)
    : server_port_(server.port()), port_(free_port()) {
  give_to_database_user(directory_.path());
  auto const users = directory_.write("users.txt", "\"postgres\" \"\"\n");
  auto const settings = directory_.write(
      "pgbouncer.ini", "[databases]\n* = host=127.0.0.1 port=" + std::to_string(server_port_) +
                           "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " + std::to_string(port_) +
                           "\nunix_socket_dir =\nauth_type = trust\n" + "auth_file = " + users + "\npool_mode = " +
                           std::string(pool_mode) + "\ndefault_pool_size = " + std::to_string(pool_size) +
                           "\nmax_client_conn = 100\nserver_login_retry = 1\n");
  give_to_database_user(users);
  give_to_database_user(settings);
  start();
}

std::string Pgbouncer::url(std::string const& server_url) const {
  auto const server = "127.0.0.1:" + std::to_string(server_port_);
  return std::string(server_url).replace(server_url.find(server), server.size(), "127.0.0.1:" + std::to_string(port_));
}

void Pgbouncer::crash() {
  pgbouncer_->signal(SIGKILL);
  pgbouncer_->wait();
}

void Pgbouncer::start() {
  Command command{.arguments = as_database_user(), .environment = {}, .input = {}, .directory = "/", .output_file = {}};
  command.arguments.insert(command.arguments.end(),
                           {"/usr/sbin/pgbouncer", (directory_.path() / "pgbouncer.ini").string()});
  pgbouncer_ = std::make_unique<Process>(command);
  pgbouncer_->wait_for_line("process up");
}

}  // namespace deployd::tests
