#include "server/http/request_reader.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace deployd::server;
using deployd::routing::Method;
using deployd::routing::Request;
using namespace std::string_view_literals;
using State = ReadResult::State;

namespace {

constexpr HeadLimits limits{.target_bytes = 200, .header_bytes = 400, .body_bytes = 1000};

struct Read {
  ReadResult result;
  Request request;
};

Read read(std::string_view bytes) {
  Read got;
  got.result = read_request_head(bytes, limits, got.request);
  return got;
}

/// The outcome as a number: 200 for complete, 0 for incomplete, otherwise the status of the refusal.
unsigned outcome(std::string_view bytes) {
  auto const result = read(bytes).result;
  if (result.state == State::complete) return 200;
  return result.state == State::incomplete ? 0 : result.error.status;
}

/// A GET with these field lines, each ending in CRLF, beside a Host.
std::string with_fields(std::string_view lines) {
  return "GET / HTTP/1.1\r\nHost: x\r\n" + std::string(lines) + "\r\n";
}

struct Framing {
  std::string_view what;
  std::string bytes;
  unsigned want;
};

/// Heads, each with what becomes of it.
std::vector<Framing> framings() {
  return {
      {"the smallest", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 200},
      {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 200},
      {"empty lines before it", "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 200},
      {"too many empty lines", "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"white space around a value", with_fields("A: \t b \t \r\n"), 200},
      {"an empty value", with_fields("A:\r\n"), 200},
      {"bytes above 0x7F in a value", with_fields("A: \xC3\xA4\r\n"), 200},
      {"a method of one's own", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 200},
      {"absolute-form", "GET http://x/y HTTP/1.1\r\nHost: x\r\n\r\n", 200},

      {"a bare LF behind the request line", "GET / HTTP/1.1\nHost: x\r\n\r\n", 400},
      {"a bare LF behind a field", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400},
      {"a bare LF as the empty line", "GET / HTTP/1.1\r\nHost: x\r\n\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"bare LFs throughout", "GET / HTTP/1.1\nHost: x\n\n", 400},
      {"a bare CR in a value", with_fields("A: b\rc\r\n"), 400},
      {"a bare CR behind a value", with_fields("A: b\r\r\n"), 400},
      {"a bare CR in the request line", "GET /\r HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"a bare CR behind the request line", "GET / HTTP/1.1\rHost: x\r\n\r\n", 400},
      {"NUL in a value", with_fields("A: b\0c\r\n"sv), 400},
      {"NUL in a name", with_fields("A\0: b\r\n"sv), 400},
      {"NUL in the target", std::string("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"sv), 400},
      {"NUL first", std::string("\0GET / HTTP/1.1\r\nHost: x\r\n\r\n"sv), 400},
      {"another control character in a value", with_fields("A: b\x01\r\n"), 400},
      {"DEL in a value", with_fields("A: b\x7F\r\n"), 400},
      {"DEL in the target", "GET /\x7F HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"a space before the colon", with_fields("A : b\r\n"), 400},
      {"a tab before the colon", with_fields("A\t: b\r\n"), 400},
      {"a space before the first name", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400},
      {"a folded value", with_fields("A: b\r\n c\r\n"), 400},
      {"a folded value with a tab", with_fields("A: b\r\n\tc\r\n"), 400},
      {"an empty value that is folded", with_fields("A:\r\n b\r\n"), 400},
      {"a fold of nothing", with_fields("A: b\r\n \r\n"), 400},
      {"a folded Content-Length", with_fields("Content-Length:\r\n 5\r\n"), 400},
      {"a line without a colon", with_fields("A\r\n"), 400},
      {"a line without a name", with_fields(": b\r\n"), 400},
      {"a name that is no token", with_fields("A(b): c\r\n"), 400},
      {"a name in UTF-8", with_fields("\xC3\xA4: c\r\n"), 400},

      {"no version", "GET /\r\nHost: x\r\n\r\n", 400},
      {"two spaces behind the method", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"two spaces behind the target", "GET /  HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"a space behind the version", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400},
      {"a space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"a space first", " GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"no method", " / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"a method that is no token", "G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"a version in small letters", "GET / http/1.1\r\nHost: x\r\n\r\n", 400},
      {"a version of no form", "GET / HTTP/1\r\nHost: x\r\n\r\n", 400},
      {"a long version", "GET / HTTP/1.10\r\nHost: x\r\n\r\n", 400},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"HTTP/0.9", "GET / HTTP/0.9\r\nHost: x\r\n\r\n", 505},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"a TLS greeting", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"sv), 400},

      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two of Host", with_fields("Host: x\r\n"), 400},
      {"two of Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n", 400},

      {"a length", with_fields("Content-Length: 5\r\n"), 200},
      {"a length with zeros before it", with_fields("Content-Length: 005\r\n"), 200},
      {"two lengths", with_fields("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {"the same length twice", with_fields("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {"a list of lengths", with_fields("Content-Length: 5, 5\r\n"), 400},
      {"a length with a plus sign", with_fields("Content-Length: +5\r\n"), 400},
      {"a length with a minus sign", with_fields("Content-Length: -5\r\n"), 400},
      {"a length in hexadecimal", with_fields("Content-Length: 0x5\r\n"), 400},
      {"a length with a letter", with_fields("Content-Length: 5a\r\n"), 400},
      {"an empty length", with_fields("Content-Length:\r\n"), 400},
      {"a length of 2^64", with_fields("Content-Length: 18446744073709551616\r\n"), 400},

      {"chunked", with_fields("Transfer-Encoding: chunked\r\n"), 501},
      {"identity", with_fields("Transfer-Encoding: identity\r\n"), 501},
      {"gzip, chunked", with_fields("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {"an empty coding", with_fields("Transfer-Encoding:\r\n"), 501},
      {"chunked in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"a coding and a length", with_fields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {"a length and a coding", with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},

      {"100-continue", with_fields("Expect: 100-continue\r\nContent-Length: 5\r\n"), 200},
      {"100-Continue", with_fields("Expect: 100-Continue\r\n"), 200},
      {"something else expected", with_fields("Expect: 200-ok\r\n"), 417},
      {"nothing expected", with_fields("Expect:\r\n"), 417},
  };
}

}  // namespace

TEST_CASE("a head is understood, or refused with the status that says why") {
  for (auto const& framing : framings()) {
    CAPTURE(framing.what, framing.bytes);
    CHECK(outcome(framing.bytes) == framing.want);
  }
}

TEST_CASE("a refusal names the method where it could be read, however the head is refused") {
  for (auto const& framing : framings()) {
    if (framing.want == 200 || !framing.bytes.starts_with("GET /")) continue;
    auto const head = "HEAD" + framing.bytes.substr(3);
    CAPTURE(framing.what, head);
    auto const refused = read(head).result;
    REQUIRE(refused.state == State::refused);
    CHECK(refused.method == Method::head);
  }
  auto const too_long = "HEAD /" + std::string(1000, 'a');
  CHECK(read(too_long).result.method == Method::head);
  CHECK(read(too_long + " HTTP/1.1\r\nHost: x\r\n\r\n").result.method == Method::head);
  CHECK(read("\r\n\r\nHEAD / HTTP/3.0\r\n\r\n").result.method == Method::head);
  CHECK(read("head / HTTP/3.0\r\n\r\n").result.method == Method::other);
  CHECK(read("HEAD\r\n\r\n").result.method == Method::other);
}

TEST_CASE("the method of a head is told from the space behind it on") {
  CHECK(method_begun("") == Method::other);
  CHECK(method_begun("HEAD") == Method::other);
  CHECK(method_begun("HEAD ") == Method::head);
  CHECK(method_begun("\r\nHEAD /a b") == Method::head);
  CHECK(method_begun("HEADS /") == Method::other);
}

TEST_CASE("a head that arrives byte by byte ends as it does in one piece") {
  for (auto const& framing : framings()) {
    CAPTURE(framing.what, framing.bytes);
    auto const whole = read(framing.bytes).result;
    ReadResult last;
    for (std::size_t size = 0; size <= framing.bytes.size() && last.state == State::incomplete; ++size)
      last = read(std::string_view(framing.bytes).substr(0, size)).result;
    CHECK(last.state == whole.state);
    CHECK(last.error.status == whole.error.status);
    CHECK(last.method == whole.method);
    CHECK(last.head_bytes == whole.head_bytes);
    CHECK(last.content_length == whole.content_length);
  }
}

TEST_CASE("random heads end the same way however they are cut, and behind whatever stands after them") {
  std::mt19937 random(11);
  std::vector<std::string> const pieces = {"GET ",
                                           "/",
                                           " HTTP/1.1",
                                           "\r\n",
                                           "\n",
                                           "\r",
                                           "Host: x",
                                           ": ",
                                           "A",
                                           " ",
                                           "\t",
                                           "\r\n\r\n",
                                           "POST ",
                                           "1",
                                           "HTTP/1.0",
                                           "Content-Length: 3",
                                           "Transfer-Encoding: chunked",
                                           "\x80"};
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = round % 2 == 0 ? "GET / HTTP/1.1\r\nHost: x\r\n" : "";
    for (auto left = random() % 12; left > 0; --left) bytes += pieces[random() % pieces.size()];
    if (round % 4 == 0) bytes += "\r\n\r\n";
    CAPTURE(bytes);
    auto const whole = read(bytes).result;
    ReadResult last;
    for (std::size_t size = 0; size <= bytes.size() && last.state == State::incomplete; ++size)
      last = read(std::string_view(bytes).substr(0, size)).result;
    REQUIRE(last.state == whole.state);
    if (whole.state != State::complete) continue;
    REQUIRE(last.head_bytes == whole.head_bytes);
    REQUIRE(read(bytes + "GET /smuggled HTTP/1.1\r\n").result.head_bytes == whole.head_bytes);
  }
}

TEST_CASE("a coding beside a length is refused as such, whichever comes first") {
  for (auto const* const fields :
       {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"})
    CHECK(read(with_fields(fields)).result.error.message.starts_with("Transfer-Encoding beside Content-Length"));
}

TEST_CASE("the parts of a head are views of its bytes") {
  std::string const bytes =
      "GET /api/v1/deployments?name=x HTTP/1.1\r\nhost: example:80\r\nAUTHORIZATION: \t Bearer T \r\n"
      "If-None-Match: \"a\"\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n"
      "Access-Control-Request-Headers: authorization\r\nIf-none-match: \"b\"\r\n\r\nrest";
  auto const [result, request] = read(bytes);
  REQUIRE(result.state == State::complete);
  CHECK(result.head_bytes == bytes.size() - 4);
  CHECK(result.content_length == 0);
  CHECK(request.method == Method::get);
  CHECK(request.method_name == "GET");
  CHECK(request.target == "/api/v1/deployments?name=x");
  CHECK(request.target.data() == bytes.data() + 4);
  CHECK(request.http_1_1);
  CHECK(request.authorization.value == "Bearer T");
  CHECK(request.authorization.single());
  CHECK(request.if_none_match.value == "\"b\"");
  CHECK(request.if_none_match.count == 2);
  CHECK(request.origin.value == "https://a.example");
  CHECK(request.access_control_request_method.value == "GET");
  CHECK(request.access_control_request_headers.value == "authorization");
}

TEST_CASE("nothing of an earlier head is left in the next") {
  Request request;
  std::string const first = with_fields("Authorization: Bearer T\r\nConnection: close\r\n");
  REQUIRE(read_request_head(first, limits, request).state == State::complete);
  std::string const second = with_fields("");
  REQUIRE(read_request_head(second, limits, request).state == State::complete);
  CHECK_FALSE(request.authorization.present());
  CHECK(request.keep_alive);
}

TEST_CASE("methods are told apart by case") {
  struct Row {
    std::string_view name;
    Method method;
  };
  auto const row = GENERATE(Row{"GET", Method::get}, Row{"HEAD", Method::head}, Row{"OPTIONS", Method::options},
                            Row{"POST", Method::other}, Row{"get", Method::other}, Row{"Head", Method::other},
                            Row{"GETS", Method::other}, Row{"CONNECT", Method::other}, Row{"X", Method::other});
  auto const bytes = std::string(row.name) + " / HTTP/1.1\r\nHost: x\r\n\r\n";
  auto const got = read(bytes);
  CHECK(got.result.state == State::complete);
  CHECK(got.request.method == row.method);
  CHECK(got.request.method_name == row.name);
}

TEST_CASE("a Host is a name or an address, with a port or without") {
  auto const host = GENERATE("", ":", ":80", "x", "example.com", "example.com:80", "127.0.0.1:8080", "[::1]",
                             "[::1]:8080", "a_b-c~d", "x%20y", "[v1.a:b]", "x:", "EXAMPLE");
  CAPTURE(host);
  CHECK(outcome("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n") == 200);
}

TEST_CASE("a Host that is neither is refused") {
  auto const host =
      GENERATE("a b", "a,b", "a/b", "user@host", "a:b", "a:80:80", "[::1", "::1", "[]", "[::1]x", "[::1]:x", "[zz]",
               "a%zz.example", "a?b", "a#b", "http://a", "a\\b", "\xC3\xA4", "\"a\"", "<a>", "a:-1");
  // A comma is a sub-delim of a registered name.
  auto const want = std::string_view(host) == "a,b" ? 200U : 400U;
  CAPTURE(host);
  CHECK(outcome("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n") == want);
}

TEST_CASE("the connection stays by the version, unless the request says otherwise") {
  struct Row {
    std::string_view version;
    std::string_view line;
    bool keep_alive;
  };
  auto const row = GENERATE(
      Row{"1.1", "", true}, Row{"1.1", "Connection: close\r\n", false}, Row{"1.1", "Connection: Close\r\n", false},
      Row{"1.1", "Connection: keep-alive\r\n", true}, Row{"1.1", "Connection: x, close\r\n", false},
      Row{"1.1", "Connection: x\r\nConnection: close\r\n", false}, Row{"1.0", "", false},
      Row{"1.0", "Connection: keep-alive\r\n", true}, Row{"1.0", "Connection: close\r\n", false},
      Row{"1.0", "Connection: keep-alive, close\r\n", false}, Row{"1.0", "Connection: close, keep-alive\r\n", false},
      Row{"1.0", "Connection: Keep-Alive, x ,\tCLOSE\r\n", false},
      Row{"1.0", "Connection: ,, keep-alive,,close,\r\n", false},
      Row{"1.0", "Connection: keep-alive\r\nCONNECTION: close\r\n", false},
      Row{"1.0", "Connection: close\r\nConnection: keep-alive\r\n", false},
      Row{"1.0", "Connection: closed, x-close, keep-alive\r\n", true}, Row{"1.0", "Connection: Keep-Alive\r\n", true},
      Row{"1.0", "Connection: x\r\nConnection: keep-alive\r\n", true},
      Row{"1.0", "Proxy-Connection: keep-alive\r\n", false}, Row{"1.1", "Connection: keep-alive, close\r\n", false},
      Row{"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
      Row{"1.1", "Connection: close\r\nConnection: keep-alive\r\n", false}, Row{"1.1", "Connection:\r\n", true},
      Row{"1.1", "Connection: closed\r\n", true}, Row{"1.1", "Proxy-Connection: close\r\n", true});
  auto const bytes = "GET / HTTP/" + std::string(row.version) + "\r\nHost: x\r\n" + std::string(row.line) + "\r\n";
  CAPTURE(bytes);
  auto const got = read(bytes);
  REQUIRE(got.result.state == State::complete);
  CHECK(got.request.keep_alive == row.keep_alive);
}

TEST_CASE("a client that waits before it sends its body is answered and let go") {
  auto const waiting = read(with_fields("Expect: 100-continue\r\nContent-Length: 5\r\n"));
  CHECK(waiting.result.close_without_body);
  CHECK_FALSE(waiting.request.keep_alive);
  auto const without_body = read(with_fields("Expect: 100-continue\r\n"));
  CHECK_FALSE(without_body.result.close_without_body);
  CHECK(without_body.request.keep_alive);
}

TEST_CASE("a target is read up to its limit and refused one byte past it") {
  auto const head = [](std::size_t size) {
    return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n";
  };
  CHECK(outcome(head(limits.target_bytes)) == 200);
  CHECK(outcome(head(limits.target_bytes + 1)) == 414);
  CHECK(outcome(head(100 * limits.target_bytes)) == 414);
}

TEST_CASE("a request line without an end is refused once it cannot be within the limit") {
  auto const line = [](std::size_t size) { return "GET /" + std::string(size - 5, 'a'); };
  CHECK(outcome(line(limits.target_bytes)) == 0);
  CHECK(outcome(line(limits.target_bytes + 64)) == 0);
  CHECK(outcome(line(limits.target_bytes + 65)) == 414);
  auto const method = [](std::size_t size) { return std::string(size, 'M') + " / HTTP/1.1\r\nHost: x\r\n\r\n"; };
  CHECK(outcome(method(limits.target_bytes + 64 - 11)) == 200);
  CHECK(outcome(method(limits.target_bytes + 64 - 10)) == 414);
}

TEST_CASE("fields are read up to their limit together and refused one byte past it") {
  auto const head = [](std::size_t field_bytes, bool whole = true) {
    std::string fields = "Host: x\r\nA: ";
    fields += std::string(field_bytes - fields.size() - 2, 'a') + "\r\n";
    return "GET / HTTP/1.1\r\n" + fields + (whole ? "\r\n" : "");
  };
  CHECK(outcome(head(limits.header_bytes)) == 200);
  CHECK(outcome(head(limits.header_bytes) + std::string(10'000, 'x')) == 200);
  CHECK(outcome(head(limits.header_bytes + 1)) == 431);
  CHECK(outcome(head(limits.header_bytes, false)) == 0);
  CHECK(outcome(head(limits.header_bytes + 3, false)) == 431);
  CHECK(outcome(head(100 * limits.header_bytes)) == 431);
}

TEST_CASE("many small fields count as one large one") {
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += "A: b\r\n";
  CHECK(outcome(with_fields(lines)) == 431);
}

TEST_CASE("a body is announced up to its limit and refused one byte past it") {
  auto const head = [](std::string const& length) { return with_fields("Content-Length: " + length + "\r\n"); };
  auto const bytes = head("1000");
  CHECK(read(bytes).result.content_length == 1000);
  CHECK(outcome(bytes) == 200);
  CHECK(outcome(head("1001")) == 413);
  CHECK(outcome(head("18446744073709551615")) == 413);
  CHECK(outcome(head("0")) == 200);
}

TEST_CASE("what a client wants is read from all fields Accept and Accept-Encoding") {
  using namespace deployd::routing;
  CHECK(static_cast<Form>(read(with_fields("")).request.wanted) == Form{});
  auto const got =
      read(with_fields("accept: image/png\r\nACCEPT-ENCODING: gzip;q=0.5\r\nAccept: text/csv;q=0.5\r\n"
                       "Accept-Encoding: br, identity;q=0\r\n"));
  CHECK(got.request.wanted.format == Format::csv);
  CHECK(got.request.wanted.coding == Coding::br);
  CHECK(got.request.wanted.identity_refused);
}
