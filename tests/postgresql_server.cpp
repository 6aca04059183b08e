#include "tests/postgresql_server.hpp"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace deployd::tests {
namespace {

using std::chrono::steady_clock;

std::filesystem::path binaries() {
  std::filesystem::path newest;
  int newest_version = 0;
  std::error_code ignored;
  for (auto const& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
    int version = 0;
    auto const name = entry.path().filename().string();
    std::from_chars(name.data(), name.data() + name.size(), version);
    if (version > newest_version && std::filesystem::exists(entry.path() / "bin" / "initdb")) {
      newest = entry.path() / "bin";
      newest_version = version;
    }
  }
  return newest;
}

passwd const* server_user() {
  if (::geteuid() != 0) return nullptr;
  auto const* user = ::getpwnam("postgres");
  if (user == nullptr) user = ::getpwnam("nobody");
  if (user == nullptr) throw std::runtime_error("no user that PostgreSQL could run as");
  return user;
}

/// Processes whose parent is `parent`.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (auto const& entry : std::filesystem::directory_iterator("/proc")) {
    auto const name = entry.path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
    std::ifstream stat(entry.path() / "stat");
    std::string line;
    std::getline(stat, line);
    auto const behind_name = line.rfind(") ");
    if (behind_name == line.npos) continue;
    pid_t its_parent = 0;
    auto const* const field = line.data() + behind_name + 4;
    std::from_chars(field, line.data() + line.size(), its_parent);
    if (its_parent == parent) children.push_back(pid);
  }
  return children;
}

}  // namespace

std::vector<std::string> as_database_user() {
  auto const* user = server_user();
  if (user == nullptr) return {"/usr/bin/setpriv", "--pdeathsig", "QUIT"};
  return {"/usr/bin/setpriv",
          "--reuid",
          std::to_string(user->pw_uid),
          "--regid",
          std::to_string(user->pw_gid),
          "--clear-groups",
          "--pdeathsig",
          "QUIT"};
}

void give_to_database_user(std::filesystem::path const& path) {
  auto const* user = server_user();
  if (user != nullptr && ::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0)
    throw std::runtime_error("cannot hand over " + path.string());
}

int free_port() {
  // Below the ports of outgoing connections, any of which another process may get the next moment.
  std::uniform_int_distribution<int> ports(10'000, 32'000);
  std::random_device random;
  for (int tries = 0; tries < 200; ++tries) {
    int const port = ports(random);
    int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool const bound = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    if (fd >= 0) ::close(fd);
    if (bound) return port;
  }
  throw std::runtime_error("no free port");
}

bool PostgresqlServer::installed() {
  return !binaries().empty();
}

PostgresqlServer::PostgresqlServer(std::string_view extra_settings) {
  if (!installed()) throw std::runtime_error("PostgreSQL is not installed");
  give_to_database_user(directory_.path());
  auto const data = (directory_.path() / "data").string();
  run_as_server_user({(binaries() / "initdb").string(), "--pgdata", data, "--username", "postgres", "--auth", "trust",
                      "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"});
  configure(
      "listen_addresses = '127.0.0.1'\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
      "shared_buffers = 32MB\nmax_connections = 60\nautovacuum = off\n");
  configure(extra_settings);
  port_ = free_port();
  start();
  port_is_known_ = true;
}

PostgresqlServer::PostgresqlServer(PostgresqlServer const& primary, std::string_view extra_settings) {
  give_to_database_user(directory_.path());
  run_as_server_user({(binaries() / "pg_basebackup").string(), "--pgdata", (directory_.path() / "data").string(),
                      "--dbname", primary.url(), "--write-recovery-conf", "--checkpoint", "fast", "--no-sync"});
  configure(extra_settings);
  port_ = free_port();
  start();
  port_is_known_ = true;
}

void PostgresqlServer::configure(std::string_view settings) const {
  // Of a setting that stands there twice the later one counts.
  std::ofstream(directory_.path() / "data" / "postgresql.conf", std::ios::app)
      << "unix_socket_directories = '" << directory_.path().string() << "'\n"
      << settings << '\n';
}

PostgresqlServer::~PostgresqlServer() {
  try {
    thaw();
    crash();
  } catch (std::exception const&) {
    // The destructor of Process kills what is left.
  }
}

void PostgresqlServer::run_as_server_user(std::vector<std::string> arguments) {
  Command command{.arguments = as_database_user(), .environment = {}, .input = {}, .directory = "/", .output_file = {}};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  auto const outcome = run(command);
  if (outcome.status != 0)
    throw std::runtime_error(arguments.front() + " ended with " + std::to_string(outcome.status) + ": " + outcome.err);
}

void PostgresqlServer::start() {
  auto const deadline = steady_clock::now() + std::chrono::seconds(60);
  auto seen = log().size();
  launch();
  // "... ready to accept connections", or "read-only connections" on a standby.
  while (log().find("database system is ready to accept", seen) == std::string::npos) {
    if (steady_clock::now() > deadline) throw std::runtime_error("PostgreSQL does not start: " + log());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    // A free port may be anybody's by the time it is bound: as the near end of a connection, for instance.
    if (log().find("could not create any TCP/IP sockets", seen) == std::string::npos) continue;
    if (!port_is_known_) port_ = free_port();
    seen = log().size();
    launch();
  }
}

void PostgresqlServer::launch() {
  // Its log goes to a file: a pipe would not be read while the test waits for something else.
  Command command{.arguments = {"/bin/sh", "-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1", "sh",
                                (directory_.path() / "log").string()},
                  .environment = {},
                  .input = {},
                  .directory = "/",
                  .output_file = {}};
  auto const prefix = as_database_user();
  command.arguments.insert(command.arguments.end(), prefix.begin(), prefix.end());
  command.arguments.push_back((binaries() / "postgres").string());
  command.arguments.push_back("-D");
  command.arguments.push_back((directory_.path() / "data").string());
  command.arguments.push_back("-p");
  command.arguments.push_back(std::to_string(port_));
  server_ = std::make_unique<Process>(command);
}

std::string PostgresqlServer::create_database() {
  auto const name = "test" + std::to_string(++databases_);
  execute("CREATE DATABASE " + name);
  return url(name);
}

void PostgresqlServer::execute(std::string const& statement, std::string_view database) const {
  std::unique_ptr<PGconn, decltype(&PQfinish)> const connection(PQconnectdb(url(database).c_str()), &PQfinish);
  std::unique_ptr<PGresult, decltype(&PQclear)> const result(PQexec(connection.get(), statement.c_str()), &PQclear);
  auto const status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    throw std::runtime_error(statement + ": " + PQerrorMessage(connection.get()));
}

void PostgresqlServer::promote() {
  execute("SELECT pg_promote(true, 60)");
}

std::string PostgresqlServer::url(std::string_view database) const {
  return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/" + std::string(database);
}

std::string PostgresqlServer::socket_url(std::string_view database) const {
  return "postgresql:///" + std::string(database) + "?host=" + directory_.path().string() +
         "&port=" + std::to_string(port_) + "&user=postgres";
}

void PostgresqlServer::crash() {
  if (!server_) return;
  server_->signal(SIGQUIT);
  server_->wait();
  server_.reset();
}

void PostgresqlServer::signal_all(int number) {
  if (!server_) return;
  for (auto const pid : children_of(server_->pid())) ::kill(pid, number);
  server_->signal(number);
}

void PostgresqlServer::freeze() {
  signal_all(SIGSTOP);
}
void PostgresqlServer::thaw() {
  signal_all(SIGCONT);
}

std::string PostgresqlServer::log() const {
  auto const file = directory_.path() / "log";
  return std::filesystem::exists(file) ? read_file(file) : "";
}

}  // namespace deployd::tests
