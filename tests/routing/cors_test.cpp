#include "routing/cors.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>

#include "tests/routing/answers.hpp"

using namespace deployd::routing;

namespace {

Request from(std::string_view origin) {
  auto request = get();
  request.origin = field(origin);
  return request;
}

Request preflight(std::string_view origin, std::string_view method, std::string_view headers = {}) {
  auto request = from(origin);
  request.method = Method::options;
  request.access_control_request_method = field(method);
  if (!headers.empty()) request.access_control_request_headers = field(headers);
  return request;
}

/// The lines of an answer to `request` that depend on it.
std::string lines(CorsPolicy const& cors, Request const& request) {
  std::string out;
  cors.append_lines(out, request);
  return out;
}

std::string fixed_lines(CorsPolicy const& cors, std::string_view vary = {}) {
  std::string out;
  cors.append_fixed_lines(out, vary);
  return out;
}

std::string preflight_lines(CorsPolicy const& cors, Request const& request) {
  std::string out;
  cors.append_preflight_lines(out, request);
  return out;
}

constexpr std::string_view expose = "Access-Control-Expose-Headers: ETag, Link, Retry-After\r\n";

}  // namespace

TEST_CASE("with every page allowed, every answer says so and none depends on the origin") {
  auto const cors = GENERATE(CorsPolicy({"*"}), CorsPolicy({"https://a.example", "*"}));
  CHECK(fixed_lines(cors) == "Access-Control-Allow-Origin: *\r\n" + std::string(expose));
  CHECK(fixed_lines(cors, "Accept") == "Vary: Accept\r\nAccess-Control-Allow-Origin: *\r\n" + std::string(expose));
  CHECK_FALSE(cors.varies());
  CHECK(lines(cors, get()).empty());
  CHECK(lines(cors, from("https://b.example")).empty());
}

TEST_CASE("with some pages allowed, only theirs get an answer they may read, and caches are told") {
  CorsPolicy const cors({"https://a.example", "http://localhost:3000"});
  CHECK(fixed_lines(cors) == "Vary: Origin\r\n");
  CHECK(fixed_lines(cors, "Accept") == "Vary: Origin, Accept\r\n");
  CHECK(cors.varies());
  CHECK(lines(cors, from("https://a.example")) ==
        "Access-Control-Allow-Origin: https://a.example\r\n" + std::string(expose));
  CHECK(
      lines(cors, from("http://localhost:3000")).starts_with("Access-Control-Allow-Origin: http://localhost:3000\r\n"));
  CHECK(lines(cors, get()).empty());
  auto const other = GENERATE("https://b.example", "http://a.example", "https://a.example:8443", "https://A.example",
                              "https://a.example.evil", "null", "");
  CAPTURE(other);
  CHECK(lines(cors, from(other)).empty());
}

TEST_CASE("an origin given twice is nobody's") {
  CorsPolicy const cors({"https://a.example"});
  auto request = from("https://a.example");
  request.origin.count = 2;
  CHECK(lines(cors, request).empty());
}

TEST_CASE("a preflight is granted what it asks by name") {
  CorsPolicy const cors({"*"});
  CHECK(preflight_lines(cors, preflight("https://a.example", "GET", "authorization, x-requested-with")) ==
        "Access-Control-Allow-Methods: GET, HEAD\r\n"
        "Access-Control-Allow-Headers: authorization, x-requested-with\r\n"
        "Access-Control-Max-Age: 7200\r\n");
}

TEST_CASE("a preflight that asks for no fields, or for what is no list of names, is granted Authorization") {
  CorsPolicy const cors({"*"});
  auto const headers = GENERATE("", "a b", "\"quoted\"", "a;b", "x: y", "*/*");
  CAPTURE(headers);
  CHECK(preflight_lines(cors, preflight("https://a.example", "GET", headers))
            .find("Access-Control-Allow-Headers: Authorization\r\n") != std::string::npos);
}

TEST_CASE("what is no preflight, or a page's that is not allowed, is granted nothing") {
  CorsPolicy const any({"*"});
  CorsPolicy const one({"https://a.example"});
  auto const without_origin = [] {
    auto request = preflight("", "GET");
    request.origin = {};
    return request;
  }();
  CHECK(preflight_lines(any, without_origin).empty());
  CHECK(preflight_lines(any, from("https://a.example")).empty());
  CHECK(preflight_lines(one, preflight("https://b.example", "GET")).empty());
  CHECK_FALSE(preflight_lines(one, preflight("https://a.example", "GET")).empty());
}
