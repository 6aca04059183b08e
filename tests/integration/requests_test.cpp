// CONTRACT: the table of requests, each of its rows a case here, over both stores.
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;

namespace {

constexpr std::string_view api1 = R"({"id":1,"pattern_id":1,"name":"API"})";
constexpr std::string_view database2 = R"({"id":2,"pattern_id":1,"name":"Database"})";
constexpr std::string_view api3 = R"({"id":3,"pattern_id":2,"name":"API"})";
constexpr std::string_view quoted4 = R"({"id":4,"pattern_id":2,"name":"q\"\\)"
                                     "\xE2\x82\xAC\"}";
constexpr std::string_view last = R"({"id":9223372036854775807,"pattern_id":1,"name":"last"})";

std::string array(std::vector<std::string_view> const& elements) {
  std::string text = "[";
  for (auto const element : elements) text += (text.size() > 1 ? "," : "") + std::string(element);
  return text + "]";
}

struct Row {
  std::string_view target;
  std::string body;
};

/// Requests every target of both stores and expects a 200 with this body.
void expect_bodies(std::vector<Row> const& rows) {
  with_each_store([&](Service& service) {
    for (auto const& row : rows) {
      CAPTURE(service.store.kind(), row.target);
      auto const got = service.get(row.target);
      CHECK(got.status == 200);
      CHECK(got.body == row.body);
      CHECK(got["Content-Type"] == "application/json; charset=utf-8");
      CHECK(got["Content-Length"] == std::to_string(row.body.size()));
      CHECK(got["Cache-Control"] == "private, no-cache");
      CHECK(got["ETag"].size() == 34);
      CHECK(got["ETag"].starts_with('"'));
    }
  });
}

void expect_not_found(std::string_view target, std::string_view message) {
  with_each_store([&](Service& service) {
    CAPTURE(service.store.kind(), target);
    auto const got = service.get(target);
    CHECK(got.status == 404);
    CHECK(got.body == error_json("NotFound", message, 404, "not-found"));
  });
}

}  // namespace

TEST_CASE("the list is every deployment, keys in order, ids ascending", "[requests]") {
  auto const all = array({api1, database2, api3, quoted4, last});
  expect_bodies({{"/api/v1/deployments", all},
                 {"/api/v1/deployments/", all},
                 {"/api/v1/deployments?", all},
                 {"/%61pi/v1/deployments", all},
                 {"http://deployd/api/v1/deployments", all}});
}

TEST_CASE("pattern filters by the exact name of the pattern", "[requests]") {
  expect_bodies({{"/api/v1/deployments?pattern=CORE_DV_HLS", array({api1, database2, last})},
                 {"/api/v1/deployments/?pattern=CORE_DV_HLS", array({api1, database2, last})},
                 {"/api/v1/deployments?pattern=S+%26+%C3%BC%2B%27%22%25", array({api3, quoted4})},
                 {"/api/v1/deployments?pattern=S%20%26%20\xC3\xBC%2B'%22%25", array({api3, quoted4})},
                 {"/api/v1/deployments?pattern=EMPTY", "[]"}});
}

TEST_CASE("a pattern that does not exist is a 404 that names it", "[requests]") {
  expect_not_found("/api/v1/deployments?pattern=X", "A pattern with the name 'X' does not exist!");
  expect_not_found("/api/v1/deployments?pattern=", "A pattern with the name '' does not exist!");
  expect_not_found("/api/v1/deployments?pattern=core_dv_hls", "A pattern with the name 'core_dv_hls' does not exist!");
  expect_not_found("/api/v1/deployments?pattern=CORE_DV_HLS+",
                   "A pattern with the name 'CORE_DV_HLS ' does not exist!");
  expect_not_found("/api/v1/deployments?pattern=CORE%25", "A pattern with the name 'CORE%' does not exist!");
  expect_not_found("/api/v1/deployments?pattern=a%22%5C%0Ab", R"(A pattern with the name 'a\"\\\nb' does not exist!)");
  expect_not_found("/api/v1/deployments?pattern=';DROP+TABLE+patterns;--",
                   "A pattern with the name '';DROP TABLE patterns;--' does not exist!");
}

TEST_CASE("pattern_id filters by the id of the pattern, and finds nothing for one that does not exist", "[requests]") {
  expect_bodies({{"/api/v1/deployments?pattern_id=2", array({api3, quoted4})},
                 {"/api/v1/deployments?pattern_id=3", "[]"},
                 {"/api/v1/deployments?pattern_id=99", "[]"},
                 {"/api/v1/deployments?pattern_id=-9223372036854775808", "[]"},
                 {"/api/v1/deployments?pattern_id=9223372036854775807", "[]"}});
}

TEST_CASE("name filters by the exact name of the deployment", "[requests]") {
  expect_bodies({{"/api/v1/deployments?name=API", array({api1, api3})},
                 {"/api/v1/deployments?name=api", "[]"},
                 {"/api/v1/deployments?name=", "[]"},
                 {"/api/v1/deployments?name=q%22%5C%E2%82%AC", array({quoted4})},
                 {"/api/v1/deployments?name=%25", "[]"}});
}

TEST_CASE("a name or pattern with NUL in it matches nothing", "[requests]") {
  expect_bodies({{"/api/v1/deployments?name=API%00", "[]"}, {"/api/v1/deployments?name=%00", "[]"}});
  expect_not_found("/api/v1/deployments?pattern=CORE_DV_HLS%00",
                   R"(A pattern with the name 'CORE_DV_HLS\u0000' does not exist!)");
}

TEST_CASE("of several filters all must hold, and the 404 for an unknown pattern stays", "[requests]") {
  expect_bodies({{"/api/v1/deployments?pattern=CORE_DV_HLS&name=API", array({api1})},
                 {"/api/v1/deployments?pattern=CORE_DV_HLS&pattern_id=1", array({api1, database2, last})},
                 {"/api/v1/deployments?pattern=CORE_DV_HLS&pattern_id=2", "[]"},
                 {"/api/v1/deployments?pattern_id=2&name=API&id[$gt]=1&$limit=5&$skip=0", array({api3})}});
  expect_not_found("/api/v1/deployments?pattern=X&pattern_id=1&name=API",
                   "A pattern with the name 'X' does not exist!");
  expect_not_found("/api/v1/deployments?$limit=0&pattern=X", "A pattern with the name 'X' does not exist!");
}

TEST_CASE("$limit, $skip and id[$gt] bound the list, with their names encoded or not", "[requests]") {
  expect_bodies({{"/api/v1/deployments?$limit=2", array({api1, database2})},
                 {"/api/v1/deployments?%24limit=2&%24skip=1", array({database2, api3})},
                 {"/api/v1/deployments?$skip=4", array({last})},
                 {"/api/v1/deployments?$skip=5", "[]"},
                 {"/api/v1/deployments?$skip=9223372036854775807", "[]"},
                 {"/api/v1/deployments?$limit=9223372036854775807&$skip=4", array({last})},
                 {"/api/v1/deployments?id[$gt]=3", array({quoted4, last})},
                 {"/api/v1/deployments?id%5B%24gt%5D=4", array({last})},
                 {"/api/v1/deployments?id[$gt]=9223372036854775807", "[]"},
                 {"/api/v1/deployments?id[$gt]=-1&$limit=1", array({api1})}});
}

TEST_CASE("a $limit of 0 is an empty list without a next page", "[requests]") {
  expect_bodies({{"/api/v1/deployments?$limit=0", "[]"}});
  with_each_store([](Service& service) { CHECK_FALSE(service.get("/api/v1/deployments?$limit=0").has("Link")); });
}

TEST_CASE("while there is more behind the $limit, a Link leads to it", "[requests]") {
  with_each_store([](Service& service) {
    CAPTURE(service.store.kind());
    CHECK(service.get("/api/v1/deployments?$limit=2&pattern=CORE_DV_HLS")["Link"] ==
          "</api/v1/deployments?pattern=CORE_DV_HLS&$limit=2&id%5B$gt%5D=2>; rel=\"next\"");
    CHECK_FALSE(service.get("/api/v1/deployments?$limit=3&pattern=CORE_DV_HLS").has("Link"));
    CHECK_FALSE(service.get("/api/v1/deployments?$limit=5").has("Link"));
    CHECK_FALSE(service.get("/api/v1/deployments?$skip=1").has("Link"));

    std::string target = "/api/v1/deployments?$limit=2";
    std::string pages;
    while (true) {
      auto const got = service.get(target);
      REQUIRE(got.status == 200);
      pages += got.body;
      if (!got.has("Link")) break;
      auto const link = got["Link"];
      target = link.substr(1, link.find('>') - 1);
    }
    CHECK(pages == array({api1, database2}) + array({api3, quoted4}) + array({last}));
  });
}

TEST_CASE("one deployment is an object", "[requests]") {
  expect_bodies({{"/api/v1/deployments/1", std::string(api1)},
                 {"/api/v1/deployments/1/", std::string(api1)},
                 {"/api/v1/deployments/%31", std::string(api1)},
                 {"/api/v1/deployments/1?", std::string(api1)},
                 {"/api/v1/deployments/4", std::string(quoted4)},
                 {"/api/v1/deployments/9223372036854775807", std::string(last)}});
}

TEST_CASE("an id that is not there, or is none, is a 404 that names it", "[requests]") {
  for (std::string const id : {"7", "0", "-1", "01", "1.0", "+1", "1e0", "x", "9223372036854775808",
                               "-9223372036854775809", "99999999999999999999999999", "null", "$where"})
    expect_not_found("/api/v1/deployments/" + id, "No record found for id '" + id + "'");
  expect_not_found("/api/v1/deployments/%2F", "No record found for id '/'");
  expect_not_found("/api/v1/deployments/1%2F", "No record found for id '1/'");
  expect_not_found("/api/v1/deployments/%201", "No record found for id ' 1'");
  expect_not_found("/api/v1/deployments/%22%5C", R"(No record found for id '\"\\')");
  expect_not_found("/api/v1/deployments/1%00", R"(No record found for id '1\u0000')");
  expect_not_found("/api/v1/deployments/%C3%BC", "No record found for id '\xC3\xBC'");
}

TEST_CASE("HEAD has the status and the fields of GET and no body", "[requests]") {
  with_each_store([](Service& service) {
    for (auto const* const target : {"/api/v1/deployments", "/api/v1/deployments?pattern=CORE_DV_HLS&$limit=1",
                                     "/api/v1/deployments/1", "/api/v1/deployments/7", "/api/v1/deployments?pattern=X",
                                     "/api/v1/deployments?foo=1", "/nothing", "/healthz"}) {
      CAPTURE(service.store.kind(), target);
      auto connection = service.server.connect();
      auto const line = bearer(service.token);
      auto got = connection.ask(request("GET", target, line));
      auto bare = connection.ask(request("HEAD", target, line));
      CHECK(bare.status == got.status);
      CHECK(bare.body.empty());
      REQUIRE(bare.fields.size() == got.fields.size());
      for (std::size_t i = 0; i < got.fields.size(); ++i) {
        CHECK(bare.fields[i].first == got.fields[i].first);
        if (got.fields[i].first != "Date") CHECK(bare.fields[i].second == got.fields[i].second);
      }
      // Had a body come, it would stand before the next answer.
      CHECK(connection.ask(request("GET", "/healthz")).status == 200);
    }
  });
}

TEST_CASE("every other method on both routes is a 501 that says what is allowed", "[requests]") {
  with_each_store([](Service& service) {
    for (auto const* const method : {"POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW", "get"}) {
      for (auto const* const target : {"/api/v1/deployments", "/api/v1/deployments/1", "/api/v1/deployments/7",
                                       "/api/v1/deployments/?foo=1", "/api/v1/deployments/x/"}) {
        CAPTURE(service.store.kind(), method, target);
        auto const got = service.ask(method, target);
        CHECK(got.status == 501);
        CHECK(got["Allow"] == "GET, HEAD, OPTIONS");
        CHECK(got.body == error_json("NotImplemented", "Not implemented", 501, "not-implemented"));
      }
    }
  });
}

TEST_CASE("OPTIONS is a 204 with Allow and needs no token", "[requests]") {
  with_each_store([](Service& service) {
    for (auto const* const target :
         {"/api/v1/deployments", "/api/v1/deployments/1", "/api/v1/nothing", "*", "/healthz"}) {
      CAPTURE(service.store.kind(), target);
      auto const got = service.server.ask(request("OPTIONS", target));
      CHECK(got.status == 204);
      CHECK(got["Allow"] == "GET, HEAD, OPTIONS");
      CHECK_FALSE(got.has("Content-Length"));
    }
  });
}

TEST_CASE("a CORS preflight is granted without a token, and the answer may be read by the page", "[requests]") {
  auto& one = service(StoreKind::sqlite);
  auto const preflight = one.server.ask(request("OPTIONS", "/api/v1/deployments",
                                                "Origin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n"
                                                "Access-Control-Request-Headers: authorization\r\n"));
  CHECK(preflight.status == 204);
  CHECK(preflight["Access-Control-Allow-Origin"] == "*");
  CHECK(preflight["Access-Control-Allow-Methods"] == "GET, HEAD");
  CHECK(preflight["Access-Control-Allow-Headers"] == "authorization");
  CHECK(preflight["Access-Control-Max-Age"] == "7200");
  for (auto const* const target : {"/api/v1/deployments", "/api/v1/deployments/7"}) {
    auto const got = one.get(target, "Origin: https://a.example\r\n");
    CHECK(got["Access-Control-Allow-Origin"] == "*");
    CHECK(got["Access-Control-Expose-Headers"] == "ETag, Link, Retry-After");
  }
}

TEST_CASE("anything else under /api/ is a 401 without a good token and a 404 with one", "[requests]") {
  for (std::string const target :
       {"/api/", "/api/v1", "/api/v1/", "/api/v1/pattern", "/api/v1/deployments/1/2", "/api/v1//deployments",
        "/api/v1/deployments//", "/api/v1/Deployments", "/api/V1/deployments", "/api//v1/deployments",
        "/api/v1/deployments//1", "/api/v1/deployments/1//"}) {
    expect_not_found(target, "Path " + target + " not found");
    CAPTURE(target);
    CHECK(service(StoreKind::sqlite).server.ask(request("GET", target)).status == 401);
  }
  expect_not_found("/api/v1%2Fdeployments", "Path /api/v1/deployments not found");
}

TEST_CASE("any other path is a 404 and needs no token", "[requests]") {
  auto& one = service(StoreKind::sqlite);
  for (std::string const target : {"/index.html", "/api", "/API/v1/deployments", "/deployments", "/favicon.png", "//",
                                   "/healthz/", "//api/v1/deployments", "/../etc/passwd", "/metrics"}) {
    CAPTURE(target);
    auto const got = one.server.ask(request("GET", target));
    CHECK(got.status == 404);
    CHECK(got.body == error_json("NotFound", "Path " + target + " not found", 404, "not-found"));
    CHECK_FALSE(got.has("WWW-Authenticate"));
  }
  CHECK(one.server.ask(request("GET", "/%C3%BC%22?x=1")).body ==
        error_json("NotFound", "Path /\xC3\xBC\\\" not found", 404, "not-found"));
}

TEST_CASE("/healthz and /readyz are 200 while all is well and need no token", "[requests]") {
  with_each_store([](Service& service) {
    for (auto const* const target : {"/healthz", "/readyz"}) {
      CAPTURE(service.store.kind(), target);
      auto const got = service.server.ask(request("GET", target));
      CHECK(got.status == 200);
      CHECK(got["Cache-Control"] == "private, no-cache");
      CHECK(got["ETag"].size() == 34);
      CHECK(got["Content-Type"] == "application/json; charset=utf-8");
    }
  });
}

TEST_CASE("the page, its icon and the rules for crawlers need no token", "[requests]") {
  auto const& server = service(StoreKind::sqlite).server;
  for (auto const& [target, type] :
       {std::pair{"/", "text/html; charset=utf-8"}, std::pair{"/?x=1", "text/html; charset=utf-8"},
        std::pair{"/favicon.ico", "image/svg+xml"}, std::pair{"/robots.txt", "text/plain; charset=utf-8"}}) {
    CAPTURE(target);
    auto const got = server.ask(request("GET", target));
    CHECK(got.status == 200);
    CHECK(got["Content-Type"] == type);
    CHECK(got["Content-Length"] == std::to_string(got.body.size()));
    CHECK(got["X-Content-Type-Options"] == "nosniff");
    CHECK(got["ETag"].size() == 34);
    CHECK(got["Cache-Control"] == "private, no-cache");
    CHECK(got.has("Content-Security-Policy") == got.body.starts_with("<!doctype html>"));

    auto const head = server.connect().ask(request("HEAD", target));
    CHECK(head.status == 200);
    CHECK(head["Content-Length"] == got["Content-Length"]);
    CHECK(server.ask(request("GET", target, "If-None-Match: " + got["ETag"] + "\r\n")).status == 304);
    CHECK(server.ask(request("POST", target)).status == 501);
    CHECK(server.ask(request("OPTIONS", target)).status == 204);
  }
  CHECK(server.ask("GET / HTTP/1.0\r\n\r\n").body == server.ask(request("GET", "/")).body);
}

TEST_CASE("with --no-page there is no page", "[requests]") {
  RunningDeployd const server(store().url(), {"--no-page"});
  for (std::string const target : {"/", "/favicon.ico", "/robots.txt"}) {
    CAPTURE(target);
    auto const got = server.ask(request("GET", target));
    CHECK(got.status == 404);
    CHECK(got.body == error_json("NotFound", "Path " + target + " not found", 404, "not-found"));
  }
}

TEST_CASE("an If-None-Match that names what would be sent is a 304", "[requests]") {
  with_each_store([](Service& service) {
    for (auto const* const target : {"/api/v1/deployments", "/api/v1/deployments/1"}) {
      CAPTURE(service.store.kind(), target);
      auto const etag = service.get(target)["ETag"];
      for (auto const& value : {etag, "W/" + etag, "\"x\", " + etag, std::string("*")}) {
        CAPTURE(value);
        auto connection = service.server.connect();
        auto const line = bearer(service.token) + "If-None-Match: " + value + "\r\n";
        auto const got = connection.ask(request("GET", target, line));
        CHECK(got.status == 304);
        CHECK(got["ETag"] == etag);
        CHECK(got["Cache-Control"] == "private, no-cache");
        CHECK(connection.ask(request("HEAD", target, line)).status == 304);
      }
      CHECK(service.get(target, "If-None-Match: \"x\"\r\n").status == 200);
      CHECK(service.server.ask(request("GET", target, "If-None-Match: *\r\n")).status == 401);
    }
    CHECK(service.get("/api/v1/deployments/7", "If-None-Match: *\r\n").status == 404);
  });
}

TEST_CASE("both stores give the same bytes, and the same on every worker", "[requests]") {
  for (auto const* const target : {"/api/v1/deployments", "/api/v1/deployments?pattern=CORE_DV_HLS&$limit=1"}) {
    std::string first;
    with_each_store([&](Service& service) {
      for (int i = 0; i < 16; ++i) {
        auto const got = service.get(target);
        auto const seen = got["ETag"] + got["Link"] + got.body;
        if (first.empty()) first = seen;
        CHECK(seen == first);
      }
    });
  }
}
