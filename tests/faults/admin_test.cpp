// The admin listener's socket stops working while the server runs.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <filesystem>
#include <string>

#include "tests/integration/admin_listener.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

/// Shuts down the sockets of another process that listen on `port`; how many there were.
int shut_listeners(pid_t process, std::uint16_t port) {
  int shut = 0;
  auto const pidfd = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  for (auto const& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/fd")) {
    auto const number = std::stoi(entry.path().filename());
    auto const copy = static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd, number, 0));
    int listening = 0;
    socklen_t size = sizeof(listening);
    sockaddr_in address{};
    socklen_t address_size = sizeof(address);
    if (::getsockopt(copy, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0 &&
        ::getsockname(copy, reinterpret_cast<sockaddr*>(&address), &address_size) == 0 &&
        ntohs(address.sin_port) == port)
      shut += ::shutdown(copy, SHUT_RDWR) == 0 ? 1 : 0;
    ::close(copy);
  }
  ::close(pidfd);
  return shut;
}

}  // namespace

TEST_CASE("an admin socket that dies is said in the log and listened on again, and the API never stops") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd server(store.url(), {"--admin-listen", "127.0.0.1:0"});
  auto const port = admin_port(server);
  auto connection = server.connect();
  CHECK(connection.ask(request("GET", "/healthz")).status == 200);
  CHECK(HttpConnection(port).ask(request("GET", "/readyz")).status == 200);

  REQUIRE(shut_listeners(server.process().pid(), port) == 1);
  auto const line = server.process().wait_for_line("error");
  CHECK(line.find("--admin-listen: 127.0.0.1:" + std::to_string(port)) != std::string::npos);
  CHECK(connection.ask(request("GET", "/healthz")).status == 200);

  server.process().wait_for_line("/readyz on 127.0.0.1:");
  CHECK(HttpConnection(admin_port(server)).ask(request("GET", "/readyz")).status == 200);
  CHECK(eventually(5s, [&] { return Metrics::of(admin_port(server))["deployd_store_up"] == 1; }));
  server.process().signal(SIGTERM);
  CHECK(server.process().wait(10s).status == 0);
}

TEST_CASE("a worker's socket that dies is said in the log") {
  FilledStore const store(StoreKind::sqlite);
  RunningDeployd server(store.url(), {"--workers", "1"});
  auto connection = server.connect();
  CHECK(connection.ask(request("GET", "/healthz")).status == 200);
  REQUIRE(shut_listeners(server.process().pid(), server.port()) == 1);
  server.process().wait_for_line("a worker can no longer listen");
  CHECK(connection.ask(request("GET", "/healthz")).status == 200);
}
