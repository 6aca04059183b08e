// CONTRACT: errors, each with its exact JSON and the fields that go with it, and the order in which they apply.
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tests/integration/running_deployd.hpp"

using namespace deployd::tests;

namespace {

void expect_bad_request(std::string_view target, std::string_view message) {
  with_each_store([&](Service& service) {
    CAPTURE(service.store.kind(), target);
    auto const got = service.get(target);
    CHECK(got.status == 400);
    CHECK(got.body == error_json("BadRequest", message, 400, "bad-request"));
    CHECK(got["Cache-Control"] == "no-store");
    CHECK_FALSE(got.has("ETag"));
  });
}

std::string parameter(std::string_view name, std::string_view complaint) {
  return "Query parameter '" + std::string(name) + "' " + std::string(complaint);
}

/// What a request that cannot be read gets: the error, and the end of the connection.
void expect_unreadable(std::string_view what, std::string_view bytes, unsigned status, std::string_view name,
                       std::string_view class_name) {
  CAPTURE(what);
  auto connection = service(StoreKind::sqlite).server.connect();
  connection.send(bytes);
  auto const got = connection.read_answer();
  CHECK(got.status == status);
  CHECK(got["Connection"] == "close");
  CHECK(got["Content-Type"] == "application/json; charset=utf-8");
  CHECK(got.body.starts_with("{\"name\":\"" + std::string(name) + "\",\"message\":\""));
  CHECK(got.body.ends_with("\",\"code\":" + std::to_string(status) + ",\"className\":\"" + std::string(class_name) +
                           "\"}"));
  connection.finish_sending();
  CHECK(connection.read_to_end().empty());
}

}  // namespace

TEST_CASE("an unknown parameter is a 400 that names it", "[errors]") {
  expect_bad_request("/api/v1/deployments?foo=1", parameter("foo", "is unknown"));
  expect_bad_request("/api/v1/deployments?$sort[id]=1", parameter("$sort[id]", "is unknown"));
  expect_bad_request("/api/v1/deployments?%22%0A=1", parameter("\\\"\\n", "is unknown"));
  expect_bad_request("/api/v1/deployments/1?name=x", parameter("name", "is unknown"));
  expect_bad_request("/api/v1/deployments/7?x", parameter("x", "is unknown"));
}

TEST_CASE("an unknown parameter that is near to a known one is a 400 that suggests it", "[errors]") {
  auto const expect_suggestion = [](std::string const& name, std::string const& known) {
    auto error = error_json("BadRequest", parameter(name, "is unknown"), 400, "bad-request");
    error.insert(error.size() - 1, ",\"data\":{\"didYouMean\":\"" + known + "\"}");
    auto const answer = service(StoreKind::sqlite).get("/api/v1/deployments?" + name + "=1");
    CHECK(answer.status == 400);
    CHECK(answer.body == error);
  };
  expect_suggestion("Pattern", "pattern");
  expect_suggestion("pattern[]", "pattern");
  expect_suggestion("patternId", "pattern_id");
  expect_suggestion("limit", "$limit");
}

TEST_CASE("a parameter given twice is a 400 that names it", "[errors]") {
  expect_bad_request("/api/v1/deployments?name=a&name=a", parameter("name", "is given more than once"));
  expect_bad_request("/api/v1/deployments?pattern_id=1&%70attern_id=2",
                     parameter("pattern_id", "is given more than once"));
}

TEST_CASE("a number that is none is a 400 that names its parameter", "[errors]") {
  auto const id = "must be a decimal 64-bit integer, not ";
  auto const count = "must be a decimal integer from 0 to 9223372036854775807, not ";
  auto const complaint = [](std::string_view must, std::string_view value) {
    return std::string(must) + "'" + std::string(value) + "'";
  };
  for (auto const* const value : {"", "x", "1.5", "0x1", "1e3", "9223372036854775808", "-9223372036854775809"}) {
    auto const text = "=" + std::string(value);
    expect_bad_request("/api/v1/deployments?pattern_id" + text, parameter("pattern_id", complaint(id, value)));
    expect_bad_request("/api/v1/deployments?id[$gt]" + text, parameter("id[$gt]", complaint(id, value)));
    expect_bad_request("/api/v1/deployments?$limit" + text, parameter("$limit", complaint(count, value)));
  }
  expect_bad_request("/api/v1/deployments?pattern_id=+1", parameter("pattern_id", complaint(id, " 1")));
  expect_bad_request("/api/v1/deployments?$skip=-1", parameter("$skip", complaint(count, "-1")));
}

TEST_CASE("a bad percent escape or bytes that are not UTF-8 are a 400 that names the parameter", "[errors]") {
  expect_bad_request("/api/v1/deployments?name=%", parameter("name", "has a bad percent escape"));
  expect_bad_request("/api/v1/deployments?name=%zz", parameter("name", "has a bad percent escape"));
  expect_bad_request("/api/v1/deployments?pattern=%FF", parameter("pattern", "is not UTF-8"));
  expect_bad_request("/api/v1/deployments?pattern=\xC3", parameter("pattern", "is not UTF-8"));
  expect_bad_request("/api/v1/deployments?%C0%AF=x", parameter("%C0%AF", "is not UTF-8"));
  expect_bad_request("/api/v1/deployments/%zz", "Path parameter 'id' has a bad percent escape or is not UTF-8");
  expect_bad_request("/api/v1/deployments/%FF", "Path parameter 'id' has a bad percent escape or is not UTF-8");
}

TEST_CASE("a target that is none is a 400", "[errors]") {
  expect_bad_request("/api/v1/deployments#x", "The request target is not valid");
  expect_bad_request("*", "The request target is not valid");
  expect_bad_request("api/v1/deployments", "The request target is not valid");
}

TEST_CASE("a request that cannot be read is refused in JSON, and the connection closed", "[errors]") {
  expect_unreadable("no request at all", "hello\r\n\r\n", 400, "BadRequest", "bad-request");
  expect_unreadable("TLS", {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15}, 400, "BadRequest",
                    "bad-request");
  expect_unreadable("bare line feeds", "GET / HTTP/1.1\nHost: x\n\n", 400, "BadRequest", "bad-request");
  expect_unreadable("no Host", "GET / HTTP/1.1\r\n\r\n", 400, "BadRequest", "bad-request");
  expect_unreadable("two lengths", request("POST", "/", "Content-Length: 1\r\nContent-Length: 2\r\n"), 400,
                    "BadRequest", "bad-request");
  expect_unreadable("too large a body", request("POST", "/", "Content-Length: 65537\r\n"), 413, "ContentTooLarge",
                    "content-too-large");
  expect_unreadable("too long a target", request("GET", "/" + std::string(8192, 'a')), 414, "UriTooLong",
                    "uri-too-long");
  expect_unreadable("an expectation", request("GET", "/", "Expect: tea\r\n"), 417, "ExpectationFailed",
                    "expectation-failed");
  expect_unreadable("too large a header", request("GET", "/", "A: " + std::string(16384, 'a') + "\r\n"), 431,
                    "RequestHeaderFieldsTooLarge", "request-header-fields-too-large");
  expect_unreadable("a transfer coding", request("POST", "/", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", 501,
                    "NotImplemented", "not-implemented");
  expect_unreadable("a coding and a length",
                    request("POST", "/", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n", 400,
                    "BadRequest", "bad-request");
  expect_unreadable("another version", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, "HttpVersionNotSupported",
                    "http-version-not-supported");
}

TEST_CASE("a HEAD that cannot be read is refused without a body", "[errors]") {
  struct Row {
    std::string bytes;
    unsigned status;
  };
  std::vector<Row> const rows{
      {"HEAD / HTTP/1.1\nHost: x\n\n", 400},
      {"HEAD / HTTP/1.1\r\n\r\n", 400},
      {"HEAD /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"\r\nHEAD / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", 400},
      {request("HEAD", "/", "Content-Length: 1\r\nContent-Length: 2\r\n"), 400},
      {request("HEAD", "/", "Content-Length: 65537\r\n"), 413},
      {request("HEAD", "/" + std::string(8192, 'a')), 414},
      {"HEAD /" + std::string(9000, 'a'), 414},
      {request("HEAD", "/", "Expect: tea\r\n"), 417},
      {request("HEAD", "/", "A: " + std::string(16384, 'a') + "\r\n"), 431},
      {request("HEAD", "/", "Transfer-Encoding: chunked\r\n"), 501},
      {"HEAD / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
  };
  for (auto const& row : rows) {
    CAPTURE(row.bytes.substr(0, 40), row.status);
    auto connection = service(StoreKind::sqlite).server.connect();
    connection.send(row.bytes);
    auto const got = connection.read_answer(true);
    CHECK(got.status == row.status);
    CHECK(got["Content-Length"] != "0");
    connection.finish_sending();
    CHECK(connection.read_to_end().empty());
  }
}

TEST_CASE("limits hold at the byte", "[errors]") {
  auto& one = service(StoreKind::sqlite);
  CHECK(one.server.ask(request("GET", "/" + std::string(8191, 'a'))).status == 404);
  CHECK(one.server.ask(request("GET", "/" + std::string(8192, 'a'))).status == 414);
  // "Host: deployd", "A: " and their line ends stand in the header too.
  auto const padding = 16384 - 15 - 5;
  CHECK(one.server.ask(request("GET", "/healthz", "A: " + std::string(padding, 'a') + "\r\n")).status == 200);
  CHECK(one.server.ask(request("GET", "/healthz", "A: " + std::string(padding + 1, 'a') + "\r\n")).status == 431);
  CHECK(one.server.ask(request("GET", "/healthz", "Content-Length: 65536\r\n")).status == 200);
  CHECK(one.server.ask(request("GET", "/healthz", "Content-Length: 65537\r\n")).status == 413);
}

TEST_CASE("the first thing wrong answers: framing, OPTIONS, the token, the path, the method, the query, the data",
          "[errors]") {
  struct Row {
    std::string_view what;
    std::string bytes;
    unsigned status;
  };
  with_each_store([](Service& service) {
    auto const good = bearer(service.token);
    for (auto const& row : std::vector<Row>{
             {"framing before OPTIONS", request("OPTIONS", "/api/v1/deployments", "Host: twice\r\n"), 400},
             {"OPTIONS before the token", request("OPTIONS", "/api/v1/nothing?foo=1"), 204},
             {"the token before the path", request("GET", "/api/v1/nothing"), 401},
             {"the token before the method", request("DELETE", "/api/v1/deployments/1"), 401},
             {"the token before the query", request("GET", "/api/v1/deployments?foo=1"), 401},
             {"the token before the data", request("GET", "/api/v1/deployments/7"), 401},
             {"the path before the method", request("POST", "/api/v1/nothing?foo=1", good), 404},
             {"the method before the query", request("POST", "/api/v1/deployments?foo=1", good), 501},
             {"the method before a bad id", request("PUT", "/api/v1/deployments/%zz", good), 501},
             {"the query before the pattern", request("GET", "/api/v1/deployments?pattern=X&foo=1", good), 400},
             {"the query before the id", request("GET", "/api/v1/deployments/7?foo=1", good), 400}}) {
      CAPTURE(service.store.kind(), row.what);
      CHECK(service.server.ask(row.bytes).status == row.status);
    }
  });
}

TEST_CASE("with --rate-limit every answer to a good token says what is left, kept or not, right or wrong", "[errors]") {
  auto& one = service(StoreKind::sqlite);
  auto const good = bearer(one.token);
  RunningDeployd const limited(one.store.url(), {"--rate-limit", "1000/s"});
  auto const told = [](HttpAnswer const& answer) {
    CAPTURE(answer.head);
    CHECK(answer["RateLimit-Policy"] == "\"default\";q=1000;w=1");
    CHECK(answer["RateLimit"].starts_with("\"default\";r=99"));
    CHECK(answer["RateLimit"].ends_with(";t=1"));
    CHECK(answer["Access-Control-Expose-Headers"] == "ETag, Link, RateLimit, RateLimit-Policy, Retry-After");
  };
  auto const first = limited.ask(request("GET", "/api/v1/deployments/1", good));
  told(first);
  for (auto const& [method, target, status, lines] :
       std::vector<std::tuple<char const*, char const*, unsigned, std::string>>{
           {"GET", "/api/v1/deployments/1", 200, ""},
           {"HEAD", "/api/v1/deployments/1", 200, ""},
           {"GET", "/api/v1/deployments/1", 304, "If-None-Match: " + first["ETag"] + "\r\n"},
           {"GET", "/api/v1/deployments/9999", 404, ""},
           {"GET", "/api/v1/nothing", 404, ""},
           {"GET", "/api/v1/deployments?x=1", 400, ""},
           {"POST", "/api/v1/deployments", 501, ""}}) {
    auto const answer = limited.ask(request(method, target, good + lines));
    CAPTURE(method, target);
    CHECK(answer.status == status);
    told(answer);
  }
  for (auto const& answer :
       {limited.ask(request("GET", "/api/v1/deployments/1")), limited.ask(request("GET", "/healthz")),
        limited.ask(request("OPTIONS", "/api/v1/deployments")), one.get("/api/v1/deployments/1")}) {
    CHECK_FALSE(answer.has("RateLimit"));
    CHECK_FALSE(answer.has("RateLimit-Policy"));
  }
}

TEST_CASE("a token over its limit is a 429 with Retry-After, after the 401 and before everything else", "[errors]") {
  auto& one = service(StoreKind::sqlite);
  RunningDeployd const limited(one.store.url(), {"--rate-limit", "1/s", "--workers", "2"});
  auto const good = bearer(one.token);
  int passed = 0;
  HttpAnswer refused;
  CHECK(eventually(std::chrono::seconds(10), [&] {
    auto const got = limited.ask(request("GET", "/api/v1/deployments/1", good));
    passed += got.status == 200 ? 1 : 0;
    refused = got;
    return got.status == 429;
  }));
  CHECK(passed >= 1);
  CHECK(refused["Retry-After"] == "1");
  CHECK(refused.body == error_json("TooManyRequests", "Too many requests", 429, "too-many-requests"));
  CHECK(limited.ask(request("GET", "/api/v1/deployments/1")).status == 401);
  CHECK(refused["RateLimit-Policy"] == "\"default\";q=1;w=1");
  CHECK(refused["RateLimit"] == "\"default\";r=0;t=1");
  CHECK(limited.ask(request("OPTIONS", "/api/v1/deployments")).status == 204);
  CHECK(limited.ask(request("GET", "/healthz")).status == 200);
  CHECK(limited.ask(request("GET", "/api/v1/nothing", good)).status == 429);
}
