// SIGHUP: other keys, or the old ones when the new are bad.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>

#include <string>

#include "tests/certificates.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;

namespace {

std::string token_of(std::string const& secret) {
  auto const token = run_deployd({"token", "sign", "--subject", "jane"}, {{"DEPLOYD_JWT_SECRET", secret}}).out;
  return token.substr(0, token.find('\n'));
}

}  // namespace

TEST_CASE("SIGHUP puts new keys in force and forgets the old") {
  FilledStore const store(StoreKind::sqlite);
  std::string const other(32, 'o');
  TemporaryDirectory const directory;
  auto const file = directory.write("secret", jwt_secret);
  RunningDeployd server(store.url(), {"--jwt-secret-file", file});
  auto connection = server.connect();
  auto const status = [&](std::string const& token) {
    return connection.ask(request("GET", "/api/v1/deployments/1", bearer(token))).status;
  };
  auto const old_token = token_of(jwt_secret);
  auto const new_token = token_of(other);
  CHECK(status(old_token) == 200);
  CHECK(status(new_token) == 401);

  directory.write("secret", other);
  server.process().signal(SIGHUP);
  server.process().wait_for_line("reloaded");
  CHECK(eventually(std::chrono::seconds(5), [&] { return status(new_token) == 200; }));
  CHECK(status(old_token) == 401);
}

TEST_CASE("SIGHUP with bad keys says which, and the old ones stay") {
  FilledStore const store(StoreKind::sqlite);
  TemporaryDirectory const directory;
  auto const file = directory.write("secret", jwt_secret);
  RunningDeployd server(store.url(), {"--jwt-secret-file", file});
  auto const line = bearer(token_of(jwt_secret));
  CHECK(server.ask(request("GET", "/api/v1/deployments/1", line)).status == 200);
  for (int round = 0; round < 3; ++round) {
    directory.write("secret", "short");
    server.process().signal(SIGHUP);
    CHECK(server.process().wait_for_line("not reloaded").find(file) != std::string::npos);
    CHECK(server.ask(request("GET", "/api/v1/deployments/1", line)).status == 200);
  }
  std::filesystem::remove(file);
  server.process().signal(SIGHUP);
  CHECK(server.process().wait_for_line("not reloaded").find(file) != std::string::npos);
  CHECK(server.ask(request("GET", "/api/v1/deployments/1", line)).status == 200);
}

TEST_CASE("SIGHUP puts another log level in force") {
  FilledStore const store(StoreKind::sqlite);
  TemporaryDirectory const directory;
  auto const config = directory.write("deployd.toml", "log-level = \"info\"\n");
  RunningDeployd server(store.url(), {"--config", config});
  auto const refuse = [&] { CHECK(server.ask(request("GET", "/api/v1/deployments", bearer("x"))).status == 401); };
  refuse();
  directory.write("deployd.toml", "log-level = \"debug\"\n");
  server.process().signal(SIGHUP);
  server.process().wait_for_line("reloaded");
  // At level info one line in ten seconds says so.
  refuse();
  CHECK_NOTHROW(server.process().wait_for_line("debug token refused: malformed"));
}

TEST_CASE("SIGHUP names the changed options that only a restart puts in force") {
  FilledStore const store(StoreKind::sqlite);
  TemporaryDirectory const directory;
  auto const config = directory.write("deployd.toml", "header-timeout = \"10s\"\nrate-limit = \"5/s\"\n");
  RunningDeployd server(store.url(), {"--config", config, "--workers", "1"});
  // A default written down, an option that a flag decides, and one that is reloaded are no such change.
  directory.write("deployd.toml", "rate-limit = \"5/s\"\nworkers = 3\nlog-level = \"debug\"\nidle-timeout = \"60s\"\n");
  server.process().signal(SIGHUP);
  CHECK(server.process().wait_for_line("reloaded").ends_with(" info reloaded"));
  directory.write("deployd.toml", "store-timeout = \"1s\"\ncors-origin = \"http://a.example\"\n");
  server.process().signal(SIGHUP);
  CHECK(server.process()
            .wait_for_line("reloaded")
            .ends_with("restart deployd to apply the changed cors-origin, rate-limit, store-timeout"));
  directory.write("deployd.toml", "rate-limit = \"5/s\"\n");
  server.process().signal(SIGHUP);
  CHECK(server.process().wait_for_line("reloaded").ends_with(" info reloaded"));
}

TEST_CASE("SIGHUP with a bad value of an option that needs a restart changes nothing and names the line") {
  FilledStore const store(StoreKind::sqlite);
  TemporaryDirectory const directory;
  auto const config = directory.write("deployd.toml", "");
  RunningDeployd server(store.url(), {"--config", config});
  directory.write("deployd.toml", "log-level = \"debug\"\nworkers = \"many\"\n");
  server.process().signal(SIGHUP);
  CHECK(server.process().wait_for_line("not reloaded").find(config + ":2: workers: ") != std::string::npos);
  CHECK(server.ask(request("GET", "/api/v1/deployments")).status == 401);
}

TEST_CASE("SIGHUP changes the log level and the keys only where the certificates are good as well") {
  FilledStore const store(StoreKind::sqlite);
  TemporaryDirectory const directory;
  auto const good = CertificateAuthority().issue();
  directory.write("cert.pem", good.certificate);
  directory.write("key.pem", good.key);
  directory.write("secret", jwt_secret);
  std::string const files = "tls-cert = \"cert.pem\"\ntls-key = \"key.pem\"\njwt-secret-file = \"secret\"\n";
  auto const config = directory.write("deployd.toml", files + "log-level = \"info\"\n");
  RunningDeployd server(store.url(), {"--config", config});
  directory.write("deployd.toml", files + "log-level = \"error\"\n");
  directory.write("cert.pem", "no certificate");
  server.process().signal(SIGHUP);
  auto const line = server.process().wait_for_line("not reloaded");
  CHECK(line.find(config + ":1: tls-cert: " + (directory.path() / "cert.pem").string()) != std::string::npos);
  directory.write("deployd.toml", "jwt-secret-file = \"secret\"\nlog-level = \"error\"\n");
  server.process().signal(SIGHUP);
  server.process().wait_for_line("not reloaded, the old values stay in use: --tls-cert: HTTPS is switched on or off");
  // A line at level info, which the level error would suppress.
  server.process().signal(SIGTERM);
  CHECK_NOTHROW(server.process().wait_for_line("stopped"));
}

TEST_CASE("SIGHUP with a configuration that cannot be read leaves everything as it was") {
  FilledStore const store(StoreKind::sqlite);
  TemporaryDirectory const directory;
  auto const config = directory.write("deployd.toml", "log-level = \"info\"\n");
  RunningDeployd server(store.url(), {"--config", config}, {{"DEPLOYD_JWT_SECRET", jwt_secret}});
  auto const line = bearer(token_of(jwt_secret));
  directory.write("deployd.toml", "log-level = \n");
  server.process().signal(SIGHUP);
  CHECK(server.process().wait_for_line("not reloaded").find(config) != std::string::npos);
  CHECK(server.ask(request("GET", "/api/v1/deployments/1", line)).status == 200);
}
