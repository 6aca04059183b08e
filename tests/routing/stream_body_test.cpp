#include "routing/stream_body.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>

#include "tests/decoded.hpp"

using namespace deployd::routing;
using deployd::tests::decoded;
using deployd::tests::decoded_so_far;

TEST_CASE("a body in chunks ends with the empty chunk and has no other") {
  std::string out;
  StreamBody body(out, Coding::identity, true);
  body.append("0123456789abcdef");
  body.append("");
  CHECK(out == "10\r\n0123456789abcdef\r\n");
  out.clear();
  SECTION("after a last piece") {
    body.end("]");
    CHECK(out == "1\r\n]\r\n0\r\n\r\n");
  }
  SECTION("after a last piece that is empty") {
    body.end("");
    CHECK(out == "0\r\n\r\n");
  }
}

TEST_CASE("without chunks the bytes of a body are all there is") {
  std::string out;
  StreamBody body(out, Coding::identity, false);
  body.append("abc");
  body.end("]");
  CHECK(out == "abc]");
}

TEST_CASE("each piece of a compressed body can be read before the next is there") {
  auto const coding = GENERATE(Coding::gzip, Coding::br, Coding::zstd);
  std::string out;
  StreamBody body(out, coding, false);
  body.append("first");
  CHECK(decoded_so_far(out, to_string(coding)) == "first");
  body.append(", second");
  CHECK(decoded_so_far(out, to_string(coding)) == "first, second");
  body.end("");
  CHECK(decoded(out, to_string(coding)) == "first, second");
}
