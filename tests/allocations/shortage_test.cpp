// Memory that runs out: a connection or a request suffers, the server does not.
#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/allocations/allocation_count.hpp"
#include "tests/allocations/served_in_process.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;

namespace {

/// What a new connection is used for.
struct Use {
  std::string_view name;
  std::string request;
  unsigned status = 200;
  bool secured = false;
};

/// What came of it: a status, or nothing when the connection was closed.
struct Outcome {
  std::optional<unsigned> status;
  bool cut = false;  // in the middle
};

HttpConnection connect(ServedInProcess& server, Use const& use) {
  return use.secured ? server.connect_secured() : server.connect();
}

Outcome outcome_of(ServedInProcess& server, Use const& use) {
  Outcome outcome;
  try {
    auto connection = connect(server, use);
    connection.send(use.request);
    auto const answer = connection.read_answer(use.request.starts_with("HEAD "));
    outcome.status = answer.status;
  } catch (std::exception const&) {
    outcome.cut = true;
  }
  return outcome;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] auto const& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

/// True when as many connections as there may be are served at the same time.
bool all_places_are_free(ServedInProcess& server) {
  return eventually(std::chrono::seconds(10), [&] {
    std::vector<HttpConnection> connections;
    try {
      for (std::size_t i = 0; i < ServedInProcess::most_connections; ++i) {
        connections.push_back(server.connect());
        connections.back().send(request("GET", "/healthz"));
        if (!connections.back().has_bytes_within(std::chrono::seconds(2))) return false;
      }
    } catch (std::exception const&) {
      return false;
    }
    return true;
  });
}

/// Lets each allocation fail that the server makes for a use, alone and with those that follow, and looks at what is
/// left.
void run_short(ServedInProcess& server, std::vector<Use> const& uses) {
  std::uint64_t injected = 0;
  for (auto const& use : uses) {
    // The first request of a kind takes memory that later ones find.
    REQUIRE(outcome_of(server, use).status == use.status);
    auto const descriptors = open_descriptors();
    for (std::uint64_t const failures : {std::uint64_t{1}, std::uint64_t{20}}) {
      for (std::uint64_t number = 0;; ++number) {
        CAPTURE(use.name, failures, number);
        Outcome outcome;
        std::uint64_t seen = 0;
        std::string stack;
        {
          AllocationCount const count(number, failures);
          outcome = outcome_of(server, use);
          seen = count.allocations();
          stack = count.first_stack();
        }
        if (seen <= number) break;
        ++injected;
        CAPTURE(stack);
        // A valid token is never refused because memory ran out: clients discard their token after a 401.
        auto const status = outcome.status.value_or(503);
        REQUIRE((status == use.status || status == 503));
        REQUIRE(outcome_of(server, use).status == use.status);
      }
    }
    CAPTURE(use.name, descriptors, open_descriptors());
    CHECK(eventually(std::chrono::seconds(10), [&] { return open_descriptors() <= descriptors; }));
    CHECK(all_places_are_free(server));
  }
  WARN(injected << " allocations have failed, and the server has survived them");
  CHECK(injected > 0);
}

}  // namespace

TEST_CASE("an allocation that fails costs one connection or one request, whichever it is") {
  ServedInProcess server(5, 8000, 0);
  auto const& token = server.authorization();
  std::string const one = "/api/v1/deployments/250";
  std::string const page = "/api/v1/deployments?pattern=PATTERN_3&$limit=100";
  run_short(server, {
                        {"one", request("GET", one, token)},
                        {"page", request("GET", page, token)},
                        {"long list", request("GET", "/api/v1/deployments?pattern=PATTERN_3&$limit=3000", token)},
                        {"streamed list", request("GET", "/api/v1/deployments", token)},
                        {"HEAD", request("HEAD", one, token)},
                        {"API token", request("GET", one, server.api_token())},
                        {"long head", request("GET", one, token + "X-Long: " + std::string(4000, 'x') + "\r\n")},
                        {"no record", request("GET", "/api/v1/deployments/999999", token), 404},
                        {"no pattern", request("GET", "/api/v1/deployments?pattern=NONE", token), 404},
                        {"bad query", request("GET", "/api/v1/deployments?unknown=1", token), 400},
                        {"no token", request("GET", one), 401},
                        {"POST", request("POST", one, token + "Content-Length: 5\r\n") + "12345", 501},
                        {"OPTIONS", request("OPTIONS", one), 204},
                        {"readyz", request("GET", "/readyz")},
                        {"no request", "GET / HTTP/2.0\r\n\r\n", 505},
                        {"TLS", request("GET", one, token), 200, true},
                    });
}

TEST_CASE("an allocation that fails beside a warm request costs no more") {
  ServedInProcess server(5, 100, 1 << 20);
  auto const& token = server.authorization();
  std::string const one = "/api/v1/deployments/250";
  run_short(server, {{"one", request("GET", one, token)}, {"TLS", request("GET", one, token), 200, true}});
}
