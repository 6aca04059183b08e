// Sessions of PostgreSQL as operators want them: over TLS, and with an end to what takes too long.
#include <catch2/catch_test_macros.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "storage/database_url.hpp"
#include "storage/session/session.hpp"
#include "tests/certificates.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;
namespace storage = deployd::storage;

namespace {

/// A PostgreSQL that speaks TLS, and over TCP nothing else.
class TlsPostgresql {
 public:
  TlsPostgresql() : authority_(directory_.write("ca.pem", certificates_.certificate())) {
    auto const issued = certificates_.issue({.names = {"localhost"}});
    auto const certificate = directory_.write("server.pem", issued.certificate);
    auto const key = directory_.write("server.key", issued.key);
    ::chmod(directory_.path().c_str(), 0755);
    ::chmod(key.c_str(), 0600);
    give_to_database_user(key);
    server_ = std::make_unique<PostgresqlServer>("ssl = on\nssl_cert_file = '" + certificate + "'\nssl_key_file = '" +
                                                 key + "'\n");
    auto const created = server_->create_database();
    database_ = created.substr(created.rfind('/'));
  }

  /// A URL with `sslmode=verify-full` that trusts the authority in the file `authority`.
  std::string url(std::string const& host, std::string const& authority) const {
    return "postgresql://postgres@" + host + ":" + std::to_string(server_->port()) + database_ +
           "?sslmode=verify-full&hostaddr=127.0.0.1&sslrootcert=" + authority;
  }
  std::string const& authority() const { return authority_; }
  TemporaryDirectory const& directory() const { return directory_; }

 private:
  CertificateAuthority certificates_;
  TemporaryDirectory directory_;
  std::string authority_;
  std::unique_ptr<PostgresqlServer> server_;
  std::string database_;
};

/// Prevents reads of the deployments while it exists.
class LockedDeployments {
 public:
  explicit LockedDeployments(std::string const& url)
      : session_(storage::open_session(*storage::parse_database_url(url), storage::Access::write)) {
    *session_ << "BEGIN";
    *session_ << "LOCK TABLE deployd.deployments IN ACCESS EXCLUSIVE MODE";
  }
  ~LockedDeployments() { *session_ << "ROLLBACK"; }

 private:
  std::unique_ptr<soci::session> session_;
};

/// The processes of the server's that have deployd's questions, of the database of `url`.
std::string backends(std::string const& url) {
  auto const session = storage::open_session(*storage::parse_database_url(url), storage::Access::read);
  std::string pids;
  *session << "SELECT coalesce(string_agg(pid::text, ' ' ORDER BY pid), '') FROM pg_stat_activity WHERE datname = "
              "current_database() AND pid <> pg_backend_pid() AND query LIKE '%pattern_id%'",
      soci::into(pids);
  return pids;
}

}  // namespace

TEST_CASE("the database is served over TLS with its certificate verified, and its changes are heard",
          "[database_session]") {
  TlsPostgresql const database;
  auto const url = database.url("localhost", database.authority());
  REQUIRE(run_deployd({"import", "--database", url, "-"}, {}, sample_data).status == 0);
  auto const created = run_deployd({"token", "create", "--database", url, "--name", "x"}).out;
  auto const line = bearer(created.substr(0, created.find('\n')));
  RunningDeployd const server(url);
  auto const get = request("GET", "/api/v1/deployments/1", line);
  CHECK(server.ask(get).body == R"({"id":1,"pattern_id":1,"name":"API"})");
  CHECK(server.ask(request("GET", "/readyz")).status == 200);
  auto const session = storage::open_session(*storage::parse_database_url(url), storage::Access::write);
  int plain = -1;
  *session << "SELECT count(*)::int FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE backend_type = "
              "'client backend' AND NOT ssl",
      soci::into(plain);
  CHECK(plain == 0);
  *session << "UPDATE deployd.deployments SET name = 'changed' WHERE id = 1";
  auto const changed = std::chrono::steady_clock::now();
  CHECK(eventually(5s, [&] { return server.ask(get).body.find("changed") != std::string::npos; }));
  CHECK(std::chrono::steady_clock::now() - changed < 1s);
}

TEST_CASE("a database whose certificate is not the right one is refused in one line that says so",
          "[database_session]") {
  TlsPostgresql const database;
  REQUIRE(run_deployd({"migrate", "--database", database.url("localhost", database.authority())}).status == 0);
  auto const expect = [&](std::string const& url, std::string const& culprit) {
    for (auto const* const command : {"check", "serve"}) {
      auto const outcome = run_deployd({command, "--database", url, "--listen", "127.0.0.1:0"});
      CAPTURE(url, outcome.err);
      CHECK(outcome.status == 69);
      CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
      CHECK(outcome.err.find(culprit) != std::string::npos);
    }
  };
  auto const stranger = database.directory().write("stranger.pem", CertificateAuthority("a stranger").certificate());
  expect(database.url("localhost", stranger), "certificate verify failed");
  expect(database.url("db.example.com", database.authority()), "does not match host name \"db.example.com\"");
  expect(database.url("localhost", "/nowhere/ca.pem"), "\"/nowhere/ca.pem\" does not exist");
}

TEST_CASE("a question that the server ends by its own statement_timeout is a 503, and its session goes on",
          "[database_session]") {
  FilledStore const store(StoreKind::postgresql);
  auto const line = bearer(store.create_token());
  auto const limited = store.url() + "?options=-c%20statement_timeout%3D200ms";
  RunningDeployd server(limited, {"--workers", "1", "--store-sessions", "1", "--cache-bytes", "0"});
  auto const get = request("GET", "/api/v1/deployments?name=API", line);
  CHECK(server.ask(get).status == 200);
  auto const before = backends(store.url());
  CHECK_FALSE(before.empty());
  {
    LockedDeployments const locked(store.url());
    auto const asked = std::chrono::steady_clock::now();
    auto const answer = server.ask(get);
    CHECK(answer.status == 503);
    CHECK(answer.has("Retry-After"));
    CHECK(std::chrono::steady_clock::now() - asked >= 200ms);
    CHECK(std::chrono::steady_clock::now() - asked < 2s);
    CHECK(server.ask(request("GET", "/healthz")).status == 200);
  }
  CHECK(server.ask(get).status == 200);
  CHECK(backends(store.url()) == before);
  server.process().wait_for_line("canceling statement due to statement timeout");
}

TEST_CASE("a question that outlasts --store-timeout is a 503, and the server is rid of it", "[database_session]") {
  FilledStore const store(StoreKind::postgresql);
  auto const line = bearer(store.create_token());
  RunningDeployd const server(
      store.url(), {"--workers", "1", "--store-sessions", "1", "--cache-bytes", "0", "--store-timeout", "300ms"});
  auto const get = request("GET", "/api/v1/deployments?name=API", line);
  CHECK(server.ask(get).status == 200);
  {
    LockedDeployments const locked(store.url());
    auto const asked = std::chrono::steady_clock::now();
    CHECK(server.ask(get).status == 503);
    CHECK(std::chrono::steady_clock::now() - asked < 2s);
    auto const session = storage::open_session(*storage::parse_database_url(store.url()), storage::Access::read);
    CHECK(eventually(5s, [&] {
      int waiting = -1;
      *session << "SELECT count(*)::int FROM pg_locks WHERE NOT granted", soci::into(waiting);
      return waiting == 0;
    }));
  }
  CHECK(eventually(2s, [&] { return server.ask(get).status == 200; }));
}
