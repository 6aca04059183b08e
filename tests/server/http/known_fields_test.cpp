#include "server/http/known_fields.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace deployd::server;
using deployd::routing::fields_of_request;
using deployd::routing::Method;
using deployd::routing::Request;
using State = ReadResult::State;

namespace {

constexpr HeadLimits limits{.target_bytes = 200, .header_bytes = 400, .body_bytes = 1000};

std::string const lines =
    "Host: deployd\r\nAuthorization: Bearer a.b.c\r\nIf-None-Match: \"1\"\r\nOrigin: https://a\r\nAccept: */*\r\n\r\n";

/// What is remembered of a request that came with `field_lines`.
std::shared_ptr<KnownFields const> remembered(KnownFieldsTable& table, std::string const& field_lines) {
  auto const bytes = "GET /first HTTP/1.1\r\n" + field_lines;
  Request request;
  auto const head = read_request_head(bytes, limits, request);
  REQUIRE(head.state == State::complete);
  auto const found = std::string_view(bytes).substr(head.fields_at, head.head_bytes - head.fields_at);
  REQUIRE(found == field_lines);
  return table.remember(found, table.hash_of(found), request);
}

void check_same(Request const& got, Request const& want) {
  CHECK(got.method == want.method);
  CHECK(got.method_name == want.method_name);
  CHECK(got.target == want.target);
  CHECK(got.http_1_1 == want.http_1_1);
  CHECK(got.keep_alive == want.keep_alive);
  for (auto const field : fields_of_request) {
    CHECK((got.*field).value == (want.*field).value);
    CHECK((got.*field).count == (want.*field).count);
  }
}

/// Heads that are read by what is known of `lines`.
std::vector<std::string> const known_heads{
    "GET / HTTP/1.1\r\n" + lines,
    "GET /api/v1/deployments?pattern=A%20B&$limit=5 HTTP/1.1\r\n" + lines,
    "GET http://host/absolute HTTP/1.1\r\n" + lines,
    "GET /\xC3\xA4~!\"# HTTP/1.1\r\n" + lines,
    "GET /first HTTP/1.1\r\n" + lines + "GET /second HTTP/1.1\r\n" + lines,
    "GET /" + std::string(199, 'x') + " HTTP/1.1\r\n" + lines,
};

/// Heads that are not, whatever they are.
std::vector<std::string> const other_heads{
    "",
    "GET ",
    "GET /",
    "GET / HTTP/1.1\r\n",
    "GET / HTTP/1.1\r\n" + lines.substr(0, lines.size() - 1),
    "GET / HTTP/1.0\r\n" + lines,
    "GET / HTTP/1.2\r\n" + lines,
    "GET / HTTP/1.1\n" + lines,
    "GET  / HTTP/1.1\r\n" + lines,
    "GET /  HTTP/1.1\r\n" + lines,
    "GET /a b HTTP/1.1\r\n" + lines,
    "GET /a\tb HTTP/1.1\r\n" + lines,
    "GET /a\x7f HTTP/1.1\r\n" + lines,
    "GET /a\r\n HTTP/1.1\r\n" + lines,
    std::string("GET /a\0b HTTP/1.1\r\n", 19) + lines,
    "HEAD / HTTP/1.1\r\n" + lines,
    "get / HTTP/1.1\r\n" + lines,
    "\r\nGET / HTTP/1.1\r\n" + lines,
    "GET / HTTP/1.1\r\nA: b\r\n" + lines,
    "GET / HTTP/1.1\r\n\r\n" + lines,
    "GET /" + std::string(200, 'x') + " HTTP/1.1\r\n" + lines,
};

}  // namespace

TEST_CASE("a head with known field lines is read as the parser reads it") {
  KnownFieldsTable table;
  auto const known = remembered(table, lines);
  auto const bytes = GENERATE(from_range(known_heads));
  CAPTURE(bytes);
  Request want;
  auto const parsed = read_request_head(bytes, limits, want);
  REQUIRE(parsed.state == State::complete);
  Request got;

  auto const read = read_known_head(bytes, *known, limits, got);

  REQUIRE(read.has_value());
  CHECK(read->state == State::complete);
  CHECK(read->head_bytes == parsed.head_bytes);
  CHECK(read->fields_at == parsed.fields_at);
  CHECK(read->content_length == 0);
  CHECK(!read->close_without_body);
  check_same(got, want);
}

TEST_CASE("a head that is not plainly one with the known field lines is left to the parser") {
  KnownFieldsTable table;
  auto const known = remembered(table, lines);
  auto const bytes = GENERATE(from_range(other_heads));
  CAPTURE(bytes);
  Request request;

  CHECK_FALSE(read_known_head(bytes, *known, limits, request).has_value());
}

TEST_CASE("what Connection says is known with the field lines") {
  KnownFieldsTable table;
  std::string const closing = "Host: x\r\nConnection: close\r\n\r\n";
  auto const known = remembered(table, closing);
  Request request;

  auto const read = read_known_head("GET / HTTP/1.1\r\n" + closing, *known, limits, request);

  REQUIRE(read.has_value());
  CHECK_FALSE(request.keep_alive);
}

TEST_CASE("known fields outlive the bytes that they were parsed from") {
  KnownFieldsTable table;
  auto const known = remembered(table, lines);  // whose bytes are gone by now

  CHECK(known->request.authorization.value == "Bearer a.b.c");
  CHECK(known->request.if_none_match.value == "\"1\"");
  CHECK(known->request.access_control_request_method.present() == false);
}

TEST_CASE("the same field lines are kept once, and others take their place without harm") {
  KnownFieldsTable table;
  auto const first = remembered(table, lines);
  CHECK(remembered(table, lines) == first);

  for (int i = 0; i < 2000; ++i) remembered(table, "Host: x\r\nA: " + std::to_string(i) + "\r\n\r\n");

  CHECK(first->lines == lines);
  CHECK(remembered(table, lines)->lines == lines);
}
