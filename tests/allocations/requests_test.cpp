#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/allocations/allocation_count.hpp"
#include "tests/allocations/served_in_process.hpp"
#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;

namespace {

constexpr int warm_up = 100;
constexpr int rounds = 1000;

std::string const one = "/api/v1/deployments/250";
std::string const list_of_100 = "/api/v1/deployments?pattern=PATTERN_3";

/// What is asked again and again on one connection.
struct Load {
  std::string_view name;
  std::string request;
  unsigned status = 200;
  int pipelined = 1;
};

void ask(HttpConnection& connection, Load const& load, int times) {
  std::string requests;
  for (int i = 0; i < load.pipelined; ++i) requests += load.request;
  bool right = true;
  for (int round = 0; round < times; ++round) {
    connection.send(requests);
    for (int i = 0; i < load.pipelined; ++i)
      right &= connection.read_answer(load.request.starts_with("HEAD ")).status == load.status;
  }
  CHECK(right);
}

/// Allocations by the server, in a server that has answered the same before, for `rounds` of a load. `stack` gets where
/// the first was.
std::uint64_t allocations(ServedInProcess const& server, Load const& load, std::string& stack) {
  auto connection = server.connect();
  ask(connection, load, warm_up);
  AllocationCount const count;
  ask(connection, load, rounds);
  stack = count.first_stack();
  return count.allocations();
}

}  // namespace

TEST_CASE("a warm request takes nothing from the heap") {
  ServedInProcess const server(5, 100, 1 << 20);
  auto const& token = server.authorization();
  auto const etag = server.connect().ask(request("GET", one, token))["ETag"];
  for (auto const& load : std::vector<Load>{
           {"one", request("GET", one, token)},
           {"list", request("GET", list_of_100, token)},
           {"not modified", request("GET", one, token + "If-None-Match: " + etag + "\r\n"), 304},
           {"HEAD", request("HEAD", one, token)},
           {"HEAD of a list", request("HEAD", list_of_100, token)},
           {"pipelined", request("GET", one, token), 200, 16},
           {"pipelined lists", request("GET", list_of_100, token), 200, 4},
           {"many fields",
            request("GET", one, token + "User-Agent: test\r\nAccept: */*\r\nOrigin: http://a.example\r\n")},
       }) {
    CAPTURE(load.name);
    std::string stack;
    auto const taken = allocations(server, load, stack);
    CAPTURE(stack);
    CHECK(taken == 0);
  }
}

TEST_CASE("a request that is answered from the store takes a bounded number of times from the heap") {
  ServedInProcess const server(5, 100, 0);
  auto const& token = server.authorization();
  struct Row {
    Load load;
    unsigned at_most;  // a request
  };
  for (auto const& [load, at_most] : std::vector<Row>{
           {{"one", request("GET", one, token)}, 13},
           {{"list", request("GET", list_of_100, token)}, 22},
           {{"no record", request("GET", "/api/v1/deployments/9999", token), 404}, 8},
           {{"no token", request("GET", one), 401}, 7},
       }) {
    CAPTURE(load.name);
    std::string stack;
    auto const taken = allocations(server, load, stack);
    CAPTURE(stack);
    CHECK(static_cast<double>(taken) / rounds <= at_most);
  }
}
