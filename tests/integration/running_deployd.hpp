// deployd as it is installed: its store made by its own commands, and the program that serves it.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/http_connection.hpp"
#include "tests/postgresql_server.hpp"
#include "tests/process.hpp"

namespace deployd::tests {

/// The path of the program.
std::string deployd_program();

/// Runs `deployd ARGUMENTS`.
Outcome run_deployd(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {},
                    std::string input = {});

/// `deployd ARGUMENTS` under what commands of a shell have limited, as `ulimit -n 64`.
Command limited_deployd(std::string const& limits, std::vector<std::string> const& arguments);

enum class StoreKind { sqlite, postgresql };

std::ostream& operator<<(std::ostream& out, StoreKind kind);

/// The PostgreSQL of this test program, started when it is first needed.
PostgresqlServer& postgresql();

/// The data that most tests ask for, as `import` takes it.
extern std::string const sample_data;

/// The secret with which JWTs are signed, if a server is configured with it.
extern std::string const jwt_secret;

/// A store, made by `migrate` and filled by `import`.
class FilledStore {
 public:
  explicit FilledStore(StoreKind kind, std::string const& data = sample_data);

  std::string const& url() const noexcept { return url_; }
  StoreKind kind() const noexcept { return kind_; }
  std::filesystem::path const& directory() const noexcept { return directory_.path(); }

  /// Imports more; throws when that fails.
  void import(std::string const& data) const;

  /// A new API token; `options` of `token create`, as --expires.
  std::string create_token(std::vector<std::string> const& options = {}) const;

 private:
  TemporaryDirectory directory_;
  StoreKind kind_;
  std::string url_;
};

/// A SQLite store with the sample data, shared by the tests of one program that only read it.
FilledStore const& store();

/// `deployd serve` on a free port of 127.0.0.1, which is killed with the object.
class RunningDeployd {
 public:
  explicit RunningDeployd(std::string const& database, std::vector<std::string> options = {},
                          std::map<std::string, std::string> environment = {}, std::vector<int> passed_sockets = {});

  std::uint16_t port() const noexcept { return port_; }
  HttpConnection connect() const { return HttpConnection(port_); }
  HttpAnswer ask(std::string_view request) const { return connect().ask(request); }
  Process& process() noexcept { return *process_; }

 private:
  std::unique_ptr<Process> process_;
  std::uint16_t port_ = 0;
};

/// A store of `kind` with the sample data, a server of it and a token for it, shared by the tests of one program.
struct Service {
  explicit Service(StoreKind kind)
      : store(kind), token(store.create_token()), server(store.url(), {}, {{"DEPLOYD_JWT_SECRET", jwt_secret}}) {}

  FilledStore store;
  std::string token;
  RunningDeployd server;

  /// `METHOD target` with the token.
  HttpAnswer ask(std::string_view method, std::string_view target, std::string_view more_lines = {}) const;
  HttpAnswer get(std::string_view target, std::string_view more_lines = {}) const {
    return ask("GET", target, more_lines);
  }
};

Service& service(StoreKind kind);

/// Calls `check` with the service of each kind of store.
template <typename Check>
void with_each_store(Check check) {
  for (auto const kind : {StoreKind::sqlite, StoreKind::postgresql}) check(service(kind));
}

/// A request of HTTP/1.1 without a body. `lines` are more field lines, each ending in CRLF.
std::string request(std::string_view method, std::string_view target, std::string_view lines = {});

/// The field line that brings a token.
std::string bearer(std::string_view token);

/// The JSON of an error.
std::string error_json(std::string_view name, std::string_view message, unsigned code, std::string_view class_name);

/// Asks again until `done`; false when it takes longer than `deadline`.
template <typename Done>
bool eventually(std::chrono::milliseconds deadline, Done done) {
  auto const end = std::chrono::steady_clock::now() + deadline;
  while (!done())
    if (std::chrono::steady_clock::now() > end) return false;
  return true;
}

}  // namespace deployd::tests
