#include "server/systemd/sockets.hpp"
#include "server/failure.hpp"

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstdlib>
#include <string>

#include "server/serve.hpp"

using namespace deployd::server;

namespace {

void set(std::string const& pid, std::string const& count) {
  ::setenv("LISTEN_PID", pid.c_str(), 1);
  ::setenv("LISTEN_FDS", count.c_str(), 1);
  ::unsetenv("LISTEN_FDNAMES");
}

std::string own_pid() {
  return std::to_string(::getpid());
}

}  // namespace

TEST_CASE("without the variables, or with another process's, no socket was handed over") {
  set(GENERATE("1", "x", ""), "1");
  CHECK(take_passed_sockets().empty());
  ::unsetenv("LISTEN_PID");
  CHECK(take_passed_sockets().empty());
}

TEST_CASE("a number of sockets that is none is refused") {
  set(own_pid(), GENERATE("", "x", "-1", "1x", "1000000"));
  CHECK_THROWS_AS(take_passed_sockets(), ListenError);
}

TEST_CASE("sockets are taken once") {
  set(own_pid(), "0");
  CHECK(take_passed_sockets().empty());
  CHECK(std::getenv("LISTEN_FDS") == nullptr);
  CHECK(std::getenv("LISTEN_PID") == nullptr);
}
