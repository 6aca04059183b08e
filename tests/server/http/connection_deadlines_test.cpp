// A deadline that has passed stays passed, in whichever order the loop sees it and the client's bytes.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/certificates.hpp"
#include "tests/process.hpp"
#include "tests/server/http/driven_connection.hpp"

using namespace deployd::server;
using namespace deployd::tests;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<TlsContext const> tls() {
  static auto const made = [] {
    TemporaryDirectory const directory;
    auto const pair = CertificateAuthority().issue();
    TlsOptions options;
    options.certificates.push_back(
        {directory.write("cert.pem", pair.certificate), directory.write("key.pem", pair.key)});
    return TlsContext::load(options, std::make_shared<TlsTicketKeys>());
  }();
  return made;
}

/// A phase, how a client gets there, and what it sends to stay in it.
struct Case {
  std::string_view name;
  ConnectionPhase phase;
  int deployments;
  bool secured;
  std::function<void(DrivenConnection&)> enter;
  std::string_view more;
};

// More than a socket pair holds, and more than the longest list that is not streamed.
constexpr int whole_list = 2000;
constexpr int streamed_list = 40'000;

std::vector<Case> cases() {
  auto const nothing = [](DrivenConnection&) {};
  auto const send = [](std::string bytes) {
    return [bytes = std::move(bytes)](DrivenConnection& connection) { connection.send(bytes); };
  };
  auto const ask = [](DrivenConnection& connection) { connection.send(connection.request()); };
  return {
      {"handshake", ConnectionPhase::handshake, 1, true, send("\x16\x03\x01"), "\x02"},
      {"idle", ConnectionPhase::idle, 1, false, nothing, "\r"},
      {"head", ConnectionPhase::head, 1, false, send("GET / HTTP/1.1\r\n"), "H"},
      {"body", ConnectionPhase::head, 1, false, send("POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"),
       "x"},
      {"sending", ConnectionPhase::sending, whole_list, false, ask, ""},
      {"streaming", ConnectionPhase::sending, streamed_list, false, ask, ""},
      {"lingering", ConnectionPhase::lingering, 1, false, send("GET / HTTP/9\r\n\r\n"), "x"},
  };
}

/// Lets a silent client's time pass: what it was waited for, and once more for what it may have begun.
void be_silent(DrivenConnection& connection) {
  for (int sweeps = 0; sweeps < 3 && !connection.ended(); ++sweeps) {
    connection.sweep();
    connection.turn();
  }
}

}  // namespace

TEST_CASE("a client that falls silent across its deadline is closed, in every phase and whatever comes first") {
  for (auto const& tried : cases()) {
    for (auto const bytes_first : {true, false}) {
      CAPTURE(tried.name, bytes_first);
      DrivenConnection connection(tried.deployments, tried.secured ? tls() : nullptr);
      tried.enter(connection);
      connection.turn();
      REQUIRE_FALSE(connection.ended());
      REQUIRE(connection.phase() == tried.phase);
      if (bytes_first) {
        connection.sweep_behind(tried.more);
      } else {
        connection.sweep();
        connection.send(tried.more);
        connection.turn();
      }
      be_silent(connection);
      CHECK(connection.ended());
    }
  }
}

TEST_CASE("a client that reads at the moment of its deadline and then falls silent is closed") {
  auto const deployments = GENERATE(whole_list, streamed_list);
  DrivenConnection connection(deployments);
  connection.send(connection.request());
  connection.turn();
  REQUIRE(connection.phase() == ConnectionPhase::sending);
  CHECK_FALSE(connection.read().empty());
  connection.sweep_behind("");
  be_silent(connection);
  CHECK(connection.ended());
}

TEST_CASE("a request that is complete at the moment of its deadline is answered") {
  DrivenConnection connection(3);
  auto const request = connection.request();
  connection.send(request.substr(0, 10));
  connection.turn();
  connection.sweep_behind(request.substr(10));
  CHECK(connection.read().starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK_FALSE(connection.ended());
  be_silent(connection);
  CHECK(connection.ended());
}

TEST_CASE("whatever a client sends and whenever it is looked at, once it is silent its connection ends") {
  std::mt19937 random(20261127);
  auto const upto = [&](unsigned most) { return random() % (most + 1); };
  std::vector<std::string> const pieces{
      "G", "ET / HTTP/1.1\r\n",    "Host: x\r\n",           "\r\n",
      "x", "POST /a HTTP/1.1\r\n", "Content-Length: 3\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"};
  for (int run = 0; run < 300; ++run) {
    DrivenConnection connection(1, run % 5 == 0 ? tls() : nullptr);
    std::string done;
    for (auto steps = upto(12); steps > 0 && !connection.ended(); --steps) {
      auto const& piece = pieces[upto(static_cast<unsigned>(pieces.size() - 1))];
      // Before the deadline or after it, and before the loop turns or after it.
      auto const later = upto(1) == 0 ? 1ms : 24h;
      switch (upto(3)) {
        case 0: connection.send(piece); break;
        case 1: connection.sweep(later); break;
        case 2: connection.turn(); break;
        default: connection.sweep_behind(piece);
      }
      done += piece + '|';
    }
    CAPTURE(run, done);
    connection.turn();
    be_silent(connection);
    REQUIRE(connection.ended());
  }
}
