#include "tests/postgresql_server.hpp"

#include <libpq-fe.h>
#include <catch2/catch_test_macros.hpp>

namespace deployd::tests {
namespace {

TEST_CASE("the server for tests can be crashed and started again, with its data") {
  PostgresqlServer server;
  auto const url = server.create_database();
  CHECK(PQping(url.c_str()) == PQPING_OK);
  CHECK(PQping(server.socket_url("test1").c_str()) == PQPING_OK);
  server.crash();
  CHECK(PQping(url.c_str()) == PQPING_NO_RESPONSE);
  server.start();
  auto* const connection = PQconnectdb(url.c_str());
  CHECK(PQstatus(connection) == CONNECTION_OK);
  PQfinish(connection);
}

}  // namespace
}  // namespace deployd::tests
