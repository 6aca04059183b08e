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
      GENERATE("/", "/favicon.ico", "/robots.txt", "/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/deployment",
               "/api/v1/deploymentss", "/API/v1/deployments", "/api/V1/deployments", "/api/v1/Deployments",
               "/api/v1/deployments//", "/api/v1//deployments", "//api/v1/deployments", "/api//v1/deployments",
               "/api/v1/deployments//1", "/api/v1/deployments/1//", "/api/v1/deployments/1/2", "/api%2Fv1/deployments",
               "/api/v1%2Fdeployments", "/healthz/", "/readyz/", "/healthz/x", "/Healthz", "/x/../healthz", "//");
  CAPTURE(text);
  CHECK(match(decode_path(text)).route == nullptr);
}

TEST_CASE("metrics are served where the API is not, and health where both are") {
  auto const served = [](std::string_view path, Surface surface) {
    return match(decode_path(path), surface).route != nullptr;
  };
  CHECK(served("/metrics", Surface::admin));
  CHECK_FALSE(served("/metrics", Surface::api));
  CHECK_FALSE(served("/api/v1/deployments", Surface::admin));
  CHECK_FALSE(served("/api/v1/deployments/1", Surface::admin));
  for (auto const path : {"/healthz", "/readyz"}) {
    CHECK(served(path, Surface::admin));
    CHECK(served(path, Surface::api));
  }
}

TEST_CASE("the page is served beside the API, unless it is turned off") {
  for (auto const* const path : {"/", "/favicon.ico", "/robots.txt"}) {
    CAPTURE(path);
    CHECK(match(decode_path(path)).route == nullptr);
    CHECK(match(decode_path(path), Surface::admin).route == nullptr);
    CHECK(to_string(match(decode_path(path), Surface::api_and_page).label()) == path);
  }
  CHECK(match(decode_path("/api/v1/deployments"), Surface::api_and_page).route != nullptr);
  for (auto const* const path : {"//", "/index.html", "/favicon.ico/", "/robots.txt/", "/Robots.txt", "/metrics"}) {
    CAPTURE(path);
    CHECK(match(decode_path(path), Surface::api_and_page).route == nullptr);
  }
}

TEST_CASE("a request is counted under the template of its route, whatever its path was") {
  CHECK(to_string(match(decode_path("/api/v1/deployments/123/")).label()) == "/api/v1/deployments/{id}");
  CHECK(to_string(match(decode_path("/metrics"), Surface::admin).label()) == "/metrics");
  CHECK(match(decode_path("/metrics")).label() == no_route);
  CHECK(to_string(no_route) == "other");
}
