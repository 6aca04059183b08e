#include "bench/response_parser.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>

using namespace deployd::bench;

TEST_CASE("a response head is read with what matters of it") {
  std::string const text =
      "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-TYPE: Application/JSON ; charset=utf-8\r\nContent-Length: "
      "12\r\n\r\nrest";
  ResponseHead head;
  REQUIRE(parse_head(text, head) == ParseResult::complete);
  CHECK(head.status == 200);
  CHECK(head.size == text.size() - 4);
  CHECK(head.framing == Framing::length);
  CHECK(head.content_length == 12);
  CHECK(head.keep_alive);
  CHECK(head.json);
}

TEST_CASE("a body with a Content-Encoding is not taken for JSON") {
  std::string const coded = GENERATE("Content-Encoding: br\r\nContent-Type: application/json\r\n",
                                     "Content-Type: application/json\r\ncontent-encoding: gzip\r\n");
  ResponseHead head;
  REQUIRE(parse_head("HTTP/1.1 200 OK\r\n" + coded + "\r\n", head) == ParseResult::complete);
  CHECK_FALSE(head.json);
  REQUIRE(parse_head("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: identity\r\n\r\n", head) ==
          ParseResult::complete);
  CHECK(head.json);
}

TEST_CASE("every beginning of a head is incomplete") {
  std::string const text = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
  ResponseHead head;
  for (std::size_t size = 0; size < text.size(); ++size)
    REQUIRE(parse_head(std::string_view(text).substr(0, size), head) == ParseResult::incomplete);
  REQUIRE(parse_head(text, head) == ParseResult::complete);
  CHECK(head.framing == Framing::chunked);
  CHECK(!head.keep_alive);
}

TEST_CASE("what is not HTTP is malformed") {
  auto const text = GENERATE("SSH-2.0-x\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n");
  CAPTURE(text);
  ResponseHead head;
  CHECK(parse_head(text, head) == ParseResult::malformed);
}

TEST_CASE("keep-alive follows the version and the Connection field") {
  struct Case {
    char const* text;
    bool keep_alive;
  };
  auto const [text, keep_alive] =
      GENERATE(Case{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
               Case{"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false},
               Case{"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", true},
               Case{"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", false},
               Case{"HTTP/1.1 200 OK\r\n\r\n", false});
  CAPTURE(text);
  ResponseHead head;
  REQUIRE(parse_head(text, head) == ParseResult::complete);
  CHECK(head.keep_alive == keep_alive);
}

TEST_CASE("204 and 304 have no body") {
  ResponseHead head;
  REQUIRE(parse_head("HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", head) == ParseResult::complete);
  CHECK(head.framing == Framing::length);
  CHECK(head.content_length == 0);
  CHECK(head.keep_alive);
}

TEST_CASE("a chunked body comes out whole whatever the pieces it arrives in") {
  std::string const text = "5\r\nhello\r\n1;ext=1\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nNEXT";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    ChunkedDecoder decoder;
    std::string body;
    std::string waiting;
    std::size_t consumed = 0;
    bool complete = false;
    for (std::size_t at = 0; at < text.size() && !complete; at += piece) {
      waiting += text.substr(at, piece);
      while (!complete) {
        auto const step = decoder.next(waiting);
        REQUIRE(step.result != ParseResult::malformed);
        body += step.data;
        consumed += step.consumed;
        waiting.erase(0, step.consumed);
        complete = step.result == ParseResult::complete;
        if (step.consumed == 0) break;
      }
    }
    CAPTURE(piece);
    CHECK(complete);
    CHECK(body == "hello 0123456789");
    CHECK(consumed == text.size() - 4);
  }
}

TEST_CASE("broken chunks are malformed") {
  auto const text = GENERATE("x\r\n", "\r\n", "-1\r\n", "11111111111111111\r\n");
  ChunkedDecoder decoder;
  CAPTURE(text);
  CHECK(decoder.next(text).result == ParseResult::malformed);
}

TEST_CASE("data longer than its chunk is malformed") {
  ChunkedDecoder decoder;
  std::string_view text = "1\r\nab\r\n";
  text.remove_prefix(decoder.next(text).consumed);
  text.remove_prefix(decoder.next(text).consumed);
  CHECK(decoder.next(text).result == ParseResult::malformed);
}
