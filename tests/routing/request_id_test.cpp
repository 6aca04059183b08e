#include "routing/request_id.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <set>
#include <string>

using namespace deployd::routing;

namespace {

std::string client_id(std::string_view field_lines) {
  Request request;
  request.field_lines = field_lines;
  return std::string(client_request_id(request));
}

}  // namespace

TEST_CASE("a sane id of the client's is taken, whatever the case of the field's name") {
  CHECK(client_id("Host: a\r\nX-Request-Id: 6f9619ff-8b86_d011.B42D\r\n\r\n") == "6f9619ff-8b86_d011.B42D");
  CHECK(client_id("x-request-id:\t a1 \r\n") == "a1");
  auto const longest = std::string(128, 'a');
  CHECK(client_id("X-Request-ID: " + longest + "\r\n") == longest);
}

TEST_CASE("an id that is not sane is not taken") {
  CHECK(client_id("Host: a\r\n").empty());
  CHECK(client_id("X-Request-Id: a\r\nX-Request-Id: a\r\n").empty());
  CHECK(client_id("X-Request-Id: " + std::string(129, 'a') + "\r\n").empty());
  auto const bad = GENERATE("", "a b", "a\"b", "a\\b", "a,b", "a;b", "a=b", "a/b", "\xC3\xA4", "a\x7f", "a\x1b[0m");
  CAPTURE(bad);
  CHECK(client_id("X-Request-Id: " + std::string(bad) + "\r\n").empty());
}

TEST_CASE("no two requests get the same id, also not of two workers") {
  RequestIds one;
  RequestIds other;
  std::set<std::string> ids;
  for (int count = 0; count < 100; ++count) {
    for (auto* const worker : {&one, &other}) {
      std::string id;
      worker->append_next(id);
      CHECK(client_id("X-Request-Id: " + id + "\r\n") == id);
      ids.insert(id);
    }
  }
  CHECK(ids.size() == 200);
}
