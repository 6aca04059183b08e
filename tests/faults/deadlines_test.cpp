// Clients that send single bytes until their deadline has passed, and then nothing: none keeps its place.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/running_deployd.hpp"
#include "tests/integration/tls_server.hpp"

using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

/// Many clients of one server, moved by one thread, without anything that waits for one of them.
class Racers {
 public:
  Racers(std::uint16_t port, int count) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < count; ++i) {
      int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      clients_.push_back(fd);
      int const small = 4096;
      ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
      if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr const*>(&address), sizeof(address)) != 0)
        throw std::runtime_error("cannot connect");
    }
  }
  ~Racers() {
    for (int const fd : clients_) ::close(fd);
  }
  Racers(Racers const&) = delete;
  Racers& operator=(Racers const&) = delete;

  void send(std::string_view bytes) {
    for (int const fd : clients_) ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  void read_a_little() {
    std::array<char, 8192> bytes;
    for (int const fd : clients_) ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  }

  /// How many the server has not closed by the deadline.
  int left_over(std::chrono::milliseconds deadline) {
    std::array<char, 65536> bytes;
    auto const until = Clock::now() + deadline;
    int left = 0;
    for (int const fd : clients_) {
      bool closed = false;
      while (!closed) {
        auto const got = ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
        closed = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
        if (closed || got > 0) continue;
        auto const wait = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        pollfd waiting{fd, POLLIN, 0};
        if (wait <= 0 || ::poll(&waiting, 1, static_cast<int>(wait)) == 0) break;
      }
      left += closed ? 0 : 1;
    }
    return left;
  }

 private:
  std::vector<int> clients_;
};

/// One way to be waited for: what is sent first, and again and again until the deadline has passed.
struct Way {
  std::string_view name;
  std::string first;
  std::string_view again;
  std::chrono::milliseconds past_deadline;
  bool reads = false;
};

constexpr int racers = 250;
constexpr int rounds = 4;

/// Of a thousand clients of each way, how many keep their place.
void race(std::uint16_t port, Way const& way) {
  int left = 0;
  for (int round = 0; round < rounds; ++round) {
    Racers clients(port, racers);
    clients.send(way.first);
    for (auto const until = Clock::now() + way.past_deadline; Clock::now() < until;) {
      clients.send(way.again);
      if (way.reads) clients.read_a_little();
    }
    left += clients.left_over(20s);
  }
  CAPTURE(way.name);
  CHECK(left == 0);
}

std::string list_of(int rows) {
  std::string text = R"({"patterns":[{"id":1,"name":"KEPT"}],"deployments":[)";
  for (int i = 1; i <= rows; ++i)
    text += (i > 1 ? "," : "") +
            (R"({"id":)" + std::to_string(i) + R"(,"pattern_id":1,"name":"deployment to some place"})");
  return text + "]}";
}

}  // namespace

TEST_CASE("of a thousand clients that send bytes across their deadline and fall silent none keeps its place") {
  FilledStore const store(StoreKind::sqlite, list_of(10'000));
  auto const ask = request("GET", "/api/v1/deployments?pattern=KEPT", bearer(store.create_token()));
  RunningDeployd const server(
      store.url(), {"--workers", "1", "--header-timeout", "80ms", "--idle-timeout", "80ms", "--write-timeout", "80ms"});
  race(server.port(), {"idle", "", "", 100ms});
  race(server.port(), {"head", "GET / HTTP/1.1\r\nHost: x\r\nA: ", "a", 150ms});
  race(server.port(), {"body", request("POST", "/healthz", "Content-Length: 60000\r\n"), "a", 150ms});
  race(server.port(), {"sending", ask, "", 150ms, true});
  race(server.port(), {"lingering", "GET / HTTP/9\r\n\r\n", "a", 2100ms});
  CHECK(server.ask(request("GET", "/healthz")).status == 200);
}

TEST_CASE("of a thousand clients that send bytes across the deadline of the handshake none keeps its place") {
  FilledStore const store(StoreKind::sqlite);
  TlsServer const server(store.url(), {"--workers", "1", "--header-timeout", "80ms"});
  // A record that announces 512 bytes of a greeting.
  race(server.running.port(), {"handshake", {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11}, "\x01", 150ms});
}
