// What a service manager sees: states told over a notify socket, sockets handed over, the watchdog.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <chrono>
#include <string>

#include "tests/integration/held_thread.hpp"
#include "tests/integration/listening_socket.hpp"
#include "tests/integration/notify_socket.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

/// `serve` with sockets handed over, on an address of its own that no machine has: listening there would fail.
Command serve_passed(std::vector<int> sockets, std::vector<std::string> const& options = {}) {
  Command command;
  command.arguments = {deployd_program(), "serve", "--database", store().url(), "--listen", "192.0.2.1:80"};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  command.passed_sockets = std::move(sockets);
  return command;
}

std::string value_of(std::string const& message, std::string const& name) {
  auto const at = ("\n" + message).find("\n" + name + "=");
  if (at == std::string::npos) return "(none)";
  auto const start = at + name.size() + 1;
  return message.substr(start, message.find('\n', start) - start);
}

std::chrono::microseconds monotonic_now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

TEST_CASE("the service manager is told of readiness, reloads and the end", "[systemd]") {
  NotifySocket manager(GENERATE(false, true));
  RunningDeployd server(store().url(), {}, {{"NOTIFY_SOCKET", manager.name()}});
  auto const address = "127.0.0.1:" + std::to_string(server.port());
  CHECK(value_of(manager.wait_for("READY=1"), "STATUS") == "Serving on " + address);

  auto const before = monotonic_now();
  server.process().signal(SIGHUP);
  auto const reloading = manager.wait_for("RELOADING=1");
  auto const stamp = std::chrono::microseconds(std::stoll(value_of(reloading, "MONOTONIC_USEC")));
  CHECK(stamp >= before);
  CHECK(stamp <= monotonic_now());
  CHECK(value_of(manager.wait_for("READY=1"), "STATUS") == "Serving on " + address);

  server.process().signal(SIGTERM);
  auto const stopping = manager.wait_for("STOPPING=1");
  CHECK(std::stoll(value_of(stopping, "EXTEND_TIMEOUT_USEC")) >= 30'000'000);
  CHECK(server.process().wait().status == 0);
}

TEST_CASE("a reload that fails says why in the status, and the service is ready again", "[systemd]") {
  TemporaryDirectory const directory;
  auto const secret = directory.write("secret", jwt_secret);
  NotifySocket manager;
  RunningDeployd server(store().url(), {"--jwt-secret-file", secret}, {{"NOTIFY_SOCKET", manager.name()}});
  manager.wait_for("READY=1");
  directory.write("secret", "short");
  server.process().signal(SIGHUP);
  manager.wait_for("RELOADING=1");
  auto const status = value_of(manager.wait_for("READY=1"), "STATUS");
  CHECK(status.find("not reloaded: --jwt-secret-file: " + secret) != std::string::npos);
  CHECK(server.ask(request("GET", "/readyz")).status == 200);
}

TEST_CASE("no service manager is told anything before the store is open", "[systemd]") {
  NotifySocket manager;
  TemporaryDirectory const empty;
  auto const outcome = run_deployd({"serve", "--database", "sqlite:" + (empty.path() / "none.db").string()},
                                   {{"NOTIFY_SOCKET", manager.name()}});
  CHECK(outcome.status == 69);
  CHECK_FALSE(manager.hears("READY=1", 0ms));
}

TEST_CASE("the watchdog is fed while every event loop turns, and starves when one stands still", "[systemd]") {
  NotifySocket manager;
  RunningDeployd server(store().url(), {"--workers", "2"},
                        {{"NOTIFY_SOCKET", manager.name()}, {"WATCHDOG_USEC", "400000"}});
  manager.wait_for("READY=1");
  for (int times = 0; times < 3; ++times) manager.wait_for("WATCHDOG=1");
  {
    HeldThread const held(server.process().pid(), "worker");
    manager.forget();
    // What had been asked of it before may still be counted.
    manager.hears("WATCHDOG=1", 200ms);
    CHECK_FALSE(manager.hears("WATCHDOG=1", 1s));
    // The main loop goes on meanwhile.
    server.process().signal(SIGHUP);
    manager.wait_for("RELOADING=1");
    CHECK_FALSE(manager.hears("WATCHDOG=1", 400ms));
  }
  manager.wait_for("WATCHDOG=1");
}

TEST_CASE("a watchdog that is meant for another process is not fed", "[systemd]") {
  NotifySocket manager;
  RunningDeployd const server(
      store().url(), {},
      {{"NOTIFY_SOCKET", manager.name()}, {"WATCHDOG_USEC", "100000"}, {"WATCHDOG_PID", std::to_string(::getpid())}});
  manager.wait_for("READY=1");
  CHECK_FALSE(manager.hears("WATCHDOG=1", 300ms));
}

TEST_CASE("the watchdog is fed while the server drains, though one of its loops has ended", "[systemd]") {
  NotifySocket manager;
  RunningDeployd server(store().url(), {"--workers", "2"},
                        {{"NOTIFY_SOCKET", manager.name()}, {"WATCHDOG_USEC", "200000"}});
  auto arriving = server.connect();
  arriving.send("GET /healthz HTTP/1.1\r\nHo");
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
  server.process().signal(SIGTERM);
  manager.wait_for("STOPPING=1");
  manager.forget();
  for (int times = 0; times < 3; ++times) manager.wait_for("WATCHDOG=1");
  arriving.send("st: x\r\n\r\n");
  CHECK(arriving.read_answer().status == 200);
  CHECK(server.process().wait().status == 0);
}

TEST_CASE("sockets handed over by systemd take the place of --listen", "[systemd]") {
  TemporaryDirectory const directory;
  auto const path = (directory.path() / "passed.sock").string();
  ListeningSocket const tcp;
  ListeningSocket const local(path);
  Process server(serve_passed({tcp.fd(), local.fd()}, {"--workers", "3"}));
  server.wait_for_line("listening on 127.0.0.1:" + std::to_string(tcp.port()));
  server.wait_for_line("listening on unix:" + path);
  for (int times = 0; times < 20; ++times) {
    CHECK(HttpConnection(tcp.port()).ask(request("GET", "/healthz")).status == 200);
    CHECK(HttpConnection(path).ask(request("GET", "/healthz")).status == 200);
  }
  server.signal(SIGTERM);
  CHECK(server.wait().status == 0);
  CHECK(std::filesystem::is_socket(path));  // it is systemd's
}

TEST_CASE("sockets that systemd calls admin take the place of --admin-listen", "[systemd]") {
  TemporaryDirectory const directory;
  auto const path = (directory.path() / "admin.sock").string();
  ListeningSocket const api;
  ListeningSocket const admin;
  ListeningSocket const local_admin(path);
  auto command = serve_passed({admin.fd(), api.fd(), local_admin.fd()}, {"--admin-listen", "192.0.2.1:81"});
  command.environment["LISTEN_FDNAMES"] = "admin:http:admin";
  Process server(command);
  server.wait_for_line("/readyz on 127.0.0.1:" + std::to_string(admin.port()) + ", unix:" + path);
  server.wait_for_line("listening on 127.0.0.1:" + std::to_string(api.port()));
  CHECK(HttpConnection(admin.port()).ask(request("GET", "/metrics")).status == 200);
  CHECK(HttpConnection(path).ask(request("GET", "/metrics")).status == 200);
  CHECK(HttpConnection(api.port()).ask(request("GET", "/metrics")).status == 404);
  CHECK(HttpConnection(admin.port()).ask(request("GET", "/api/v1/deployments/1")).status == 404);
  server.signal(SIGTERM);
  CHECK(server.wait().status == 0);
}

TEST_CASE("a socket that systemd calls admin leaves --listen in force", "[systemd]") {
  ListeningSocket const admin;
  RunningDeployd const server(store().url(), {}, {{"LISTEN_FDNAMES", "admin"}}, {admin.fd()});
  CHECK(server.ask(request("GET", "/readyz")).status == 200);
  CHECK(HttpConnection(admin.port()).ask(request("GET", "/metrics")).status == 200);
}

TEST_CASE("all workers accept from a socket that was handed over: one that stands still holds up nobody", "[systemd]") {
  ListeningSocket const socket;
  Process server(serve_passed({socket.fd()}, {"--workers", "2"}));
  server.wait_for_line("listening on");
  HeldThread const held(server.pid(), "worker");
  for (int times = 0; times < 20; ++times)
    CHECK(HttpConnection(socket.port()).ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("a connection made while no process serves is answered by the next", "[systemd]") {
  ListeningSocket const socket;
  HttpConnection waiting(socket.port());
  waiting.send(request("GET", "/healthz"));
  Process const server(serve_passed({socket.fd()}));
  CHECK(waiting.read_answer().status == 200);
}

TEST_CASE("a descriptor that is no listening stream socket is refused by its number", "[systemd]") {
  ListeningSocket const good;
  int const datagram = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int const silent = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int const file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  auto const bad = GENERATE_COPY(datagram, silent, file);
  auto command = serve_passed({good.fd(), bad});
  command.environment["LISTEN_FDNAMES"] = "http:admin";
  auto const outcome = run(command);
  CAPTURE(outcome.err);
  CHECK(outcome.status == 69);
  CHECK(outcome.err.starts_with("deployd: descriptor 4 (admin), handed over by systemd, "));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  for (int const fd : {datagram, silent, file}) ::close(fd);
}

TEST_CASE("sockets meant for another process are left alone", "[systemd]") {
  auto const environment =
      std::map<std::string, std::string>{{"LISTEN_FDS", "1"}, {"LISTEN_PID", std::to_string(::getpid())}};
  RunningDeployd const server(store().url(), {}, environment);
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("for --drain-delay everything is served while /readyz says 503, and then the drain begins", "[systemd]") {
  RunningDeployd server(store().url(), {"--drain-delay", "2s"});
  auto kept = server.connect();
  CHECK(kept.ask(request("GET", "/readyz")).status == 200);
  auto const start = std::chrono::steady_clock::now();
  server.process().signal(SIGTERM);
  CHECK(eventually(1500ms, [&] { return server.ask(request("GET", "/readyz")).status == 503; }));
  auto const healthy = kept.ask(request("GET", "/healthz"));
  CHECK(healthy.status == 200);
  CHECK_FALSE(healthy.has("Connection"));
  CHECK(server.process().wait().status == 0);
  CHECK(std::chrono::steady_clock::now() - start >= 2s);
}

TEST_CASE("a second signal ends --drain-delay as well", "[systemd]") {
  RunningDeployd server(store().url(), {"--drain-delay", "1h"});
  server.process().signal(SIGTERM);
  server.process().wait_for_line("signal 15");
  server.process().signal(SIGTERM);
  CHECK(server.process().wait(10s).status == 0);
}
