#include "tests/integration/running_deployd.hpp"

#include <ostream>
#include <stdexcept>

namespace deployd::tests {

std::string const sample_data =
    R"({"patterns":[{"id":1,"name":"CORE_DV_HLS"},{"id":2,"name":"S & \u00fc+'\"%"},{"id":3,"name":"EMPTY"}],)"
    R"("deployments":[{"id":1,"pattern_id":1,"name":"API"},{"id":2,"pattern_id":1,"name":"Database"},)"
    R"({"id":3,"pattern_id":2,"name":"API"},{"id":4,"pattern_id":2,"name":"q\"\\\u20ac"},)"
    R"({"id":9223372036854775807,"pattern_id":1,"name":"last"}]})";

std::string const jwt_secret = "a secret that only the tests know, and of 32 bytes at least";

std::string deployd_program() {
  return DEPLOYD_PROGRAM;
}

Outcome run_deployd(std::vector<std::string> arguments, std::map<std::string, std::string> environment,
                    std::string input) {
  Command command;
  command.arguments = std::move(arguments);
  command.arguments.insert(command.arguments.begin(), deployd_program());
  command.environment = std::move(environment);
  command.input = std::move(input);
  return run(command);
}

Command limited_deployd(std::string const& limits, std::vector<std::string> const& arguments) {
  Command command;
  command.arguments = {"/bin/sh", "-c", limits + " && exec \"$@\"", "sh", deployd_program()};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  return command;
}

std::ostream& operator<<(std::ostream& out, StoreKind kind) {
  return out << (kind == StoreKind::sqlite ? "SQLite" : "PostgreSQL");
}

PostgresqlServer& postgresql() {
  // What is committed must outlive a crash.
  static PostgresqlServer server("synchronous_commit = on\n");
  return server;
}

FilledStore::FilledStore(StoreKind kind, std::string const& data)
    : kind_(kind),
      url_(kind == StoreKind::sqlite ? "sqlite:" + (directory_.path() / "deployd.db").string()
                                     : postgresql().create_database()) {
  import(data);
}

void FilledStore::import(std::string const& data) const {
  auto const outcome = run_deployd({"import", "--database", url_, "-"}, {}, data);
  if (outcome.status != 0) throw std::runtime_error("deployd import failed: " + outcome.err);
}

std::string FilledStore::create_token(std::vector<std::string> const& options) const {
  std::vector<std::string> arguments{"token", "create", "--database", url_, "--name", "test"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  auto const outcome = run_deployd(arguments);
  if (outcome.status != 0) throw std::runtime_error("deployd token create failed: " + outcome.err);
  return outcome.out.substr(0, outcome.out.find('\n'));
}

FilledStore const& store() {
  static FilledStore const made(StoreKind::sqlite);
  return made;
}

RunningDeployd::RunningDeployd(std::string const& database, std::vector<std::string> options,
                               std::map<std::string, std::string> environment, std::vector<int> passed_sockets) {
  Command command;
  command.passed_sockets = std::move(passed_sockets);
  command.arguments = {deployd_program(), "serve", "--database", database, "--listen", "127.0.0.1:0"};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  command.environment = std::move(environment);
  process_ = std::make_unique<Process>(command);
  auto const line = process_->wait_for_line("listening on 127.0.0.1:");
  port_ = static_cast<std::uint16_t>(std::stoul(line.substr(line.find("127.0.0.1:") + 10)));
}

HttpAnswer Service::ask(std::string_view method, std::string_view target, std::string_view more_lines) const {
  return server.ask(request(method, target, bearer(token) + std::string(more_lines)));
}

Service& service(StoreKind kind) {
  if (kind == StoreKind::sqlite) {
    static Service sqlite(StoreKind::sqlite);
    return sqlite;
  }
  static Service postgresql(StoreKind::postgresql);
  return postgresql;
}

std::string request(std::string_view method, std::string_view target, std::string_view lines) {
  std::string bytes(method);
  bytes += ' ';
  bytes += target;
  bytes += " HTTP/1.1\r\nHost: deployd\r\n";
  bytes += lines;
  return bytes += "\r\n";
}

std::string bearer(std::string_view token) {
  return "Authorization: Bearer " + std::string(token) + "\r\n";
}

std::string error_json(std::string_view name, std::string_view message, unsigned code, std::string_view class_name) {
  return R"({"name":")" + std::string(name) + R"(","message":")" + std::string(message) + R"(","code":)" +
         std::to_string(code) + R"(,"className":")" + std::string(class_name) + "\"}";
}

}  // namespace deployd::tests
