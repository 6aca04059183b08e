#include "routing/router.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>
#include <string_view>

using namespace deployd::routing;

TEST_CASE("a path belongs to the route whose segments it has") {
  struct Row {
    std::string_view path;
    std::string_view route;
    std::string_view id;
  };
  constexpr std::string_view list = "/api/v1/deployments";
  constexpr std::string_view record = "/api/v1/deployments/{id}";
  auto const row =
      GENERATE_COPY(Row{"/api/v1/deployments", list, ""}, Row{"/api/v1/deployments/", list, ""},
                    Row{"/%61pi/v1/deployment%73", list, ""}, Row{"/api/v1/deployments/1", record, "1"},
                    Row{"/api/v1/deployments/1/", record, "1"}, Row{"/api/v1/deployments/%31", record, "1"},
                    Row{"/api/v1/deployments/a%2Fb", record, "a/b"}, Row{"/api/v1/deployments/%2F", record, "/"},
                    Row{"/api/v1/deployments/a+b", record, "a+b"}, Row{"/api/v1/deployments/..", record, ".."},
                    Row{"/healthz", "/healthz", ""}, Row{"/readyz", "/readyz", ""});
  CAPTURE(row.path);
  auto const path = decode_path(row.path);
  auto const found = match(path);
  REQUIRE(found.route != nullptr);
  CHECK(found.route->path_template == row.route);
  CHECK(found.id == row.id);
}

TEST_CASE("no other path belongs to a route") {
  auto const text =
      GENERATE("/", "/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/deployment", "/api/v1/deploymentss",
               "/API/v1/deployments", "/api/V1/deployments", "/api/v1/Deployments", "/api/v1/deployments//",
               "/api/v1//deployments", "//api/v1/deployments", "/api//v1/deployments", "/api/v1/deployments//1",
               "/api/v1/deployments/1//", "/api/v1/deployments/1/2", "/api%2Fv1/deployments", "/api/v1%2Fdeployments",
               "/healthz/", "/readyz/", "/healthz/x", "/Healthz", "/x/../healthz", "//");
  CAPTURE(text);
  CHECK(match(decode_path(text)).route == nullptr);
}
