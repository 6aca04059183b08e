// Restarts under load: a small version of `./dev restarts`.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/integration/running_deployd.hpp"
#include "tests/restarts/load.hpp"
#include "tests/restarts/restarted_deployd.hpp"

using namespace deployd::tests;

TEST_CASE("restarts under load lose no request, with a socket that was handed over and by taking over") {
  auto const kind = GENERATE(RestartKind::passed, RestartKind::rolling);
  FilledStore const store(StoreKind::sqlite);
  RestartedDeployd server(kind, store.url(), {"--workers", "2"});
  Load load(server.port(), request("GET", "/api/v1/deployments/1", bearer(store.create_token())),
            R"({"id":1,"pattern_id":1,"name":"API"})", 16);
  load.wait_for_answers(200);
  for (int i = 0; i < 4; ++i) {
    server.restart();
    load.wait_for_answers(200);
  }
  auto const tally = load.stop();
  server.stop();
  CAPTURE(tally.first_fault, tally.sent);
  CHECK(tally.answered == tally.sent);
  CHECK(tally.answered > 1000);
  CHECK(tally.lost == 0);
  CHECK(tally.wrong == 0);
  CHECK(tally.refused == 0);
  CHECK(tally.last_answers > 0);
}
