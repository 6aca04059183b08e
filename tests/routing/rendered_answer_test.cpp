#include "routing/rendered_answer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "tests/routing/answers.hpp"

using namespace deployd::routing;

namespace {

CorsPolicy const any({"*"});
CorsPolicy const one({"https://a.example"});

std::shared_ptr<RenderedAnswer const> rendered(std::string_view body, std::string_view link = {},
                                               CorsPolicy const& cors = any) {
  return std::make_shared<RenderedAnswer const>(
      render_answer({.body = std::string(body), .link = std::string(link)}, cors));
}

Answer ask(std::shared_ptr<RenderedAnswer const> const& answer, Request const& request, CorsPolicy const& cors = any) {
  Output out;
  auto const status = append_answer(out, answer, request, moment, cors);
  auto taken = take_apart(out);
  CHECK(status == taken.status());
  return taken;
}

Answer refuse(HttpError const& error, Request const& request = get(), CorsPolicy const& cors = any) {
  Output out;
  append_error(out, error, request, moment, cors);
  return take_apart(out);
}

}  // namespace

TEST_CASE("a 200 is its header block with the date put in, and its body") {
  Output out;
  CHECK(append_answer(out, rendered("[]"), get(), moment, any) == 200);
  auto const etag = make_etag("[]");
  CHECK(bytes_of(out) ==
        "HTTP/1.1 200 OK\r\n"
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        "Content-Length: 2\r\n"
        "ETag: " +
            etag +
            "\r\n"
            "Cache-Control: private, no-cache\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Access-Control-Allow-Origin: *\r\n"
            "Access-Control-Expose-Headers: ETag, Link, Retry-After\r\n"
            "\r\n"
            "[]");
}

TEST_CASE("each answer of one output has the date of its own moment") {
  auto const answer = rendered("[1]");
  Output out;
  append_answer(out, answer, get(), moment, any);
  auto const first = out.bytes.size();
  append_answer(out, answer, get(), {moment.now, "Mon, 07 Nov 1994 08:49:38 GMT"}, any);
  CHECK(take_apart(std::string_view(out.bytes).substr(0, first))["Date"] == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(take_apart(std::string_view(out.bytes).substr(first))["Date"] == "Mon, 07 Nov 1994 08:49:38 GMT");
  CHECK(answer->bytes.find("1970") != std::string::npos);
}

TEST_CASE("an entity tag is strong, the same for the same body and another for another") {
  std::set<std::string> tags;
  for (auto const* const body : {"", "[]", "[ ]", "a", "b", "ab", "ba"}) {
    auto const tag = make_etag(body);
    CAPTURE(tag);
    CHECK(tag.size() == 34);
    CHECK(tag.starts_with('"'));
    CHECK(tag.ends_with('"'));
    CHECK(tag == make_etag(std::string(body)));
    tags.insert(tag);
  }
  CHECK(tags.size() == 7);
}

TEST_CASE("an If-None-Match that names the content is a 304 with its validator and no body") {
  auto const answer = rendered("[1]", "/next");
  auto const tag = answer->etag;
  auto const value = GENERATE_COPY(tag, "W/" + tag, std::string("*"), "\"x\", " + tag, tag + ",\"x\"",
                                   "\"a,b\" , W/" + tag + ", \"c\"", ",, " + tag, "\"\", " + tag, "\t" + tag);
  auto request = GENERATE(get(), head());
  request.if_none_match = field(value);
  CAPTURE(value);
  auto const got = ask(answer, request);
  CHECK(got.status_line == "HTTP/1.1 304 Not Modified");
  CHECK(got["ETag"] == tag);
  CHECK(got["Cache-Control"] == "private, no-cache");
  CHECK(got["Date"] == moment.http_date);
  CHECK(got["Link"] == "</next>; rel=\"next\"");
  CHECK_FALSE(got.has("Content-Length"));
  CHECK_FALSE(got.has("Content-Type"));
  CHECK(got.body.empty());
}

TEST_CASE("an If-None-Match that does not name the content is as good as none") {
  auto const answer = rendered("[1]");
  auto const tag = answer->etag;
  auto const bare = tag.substr(1, tag.size() - 2);
  auto const value =
      GENERATE_COPY(std::string(), std::string("\"x\""), bare, "w/" + tag, tag.substr(0, 33), "x, " + tag,
                    "\"" + bare + "x\"", std::string("**"), "\"unclosed " + tag.substr(1, 32));
  auto request = get();
  request.if_none_match = field(value);
  CAPTURE(value);
  CHECK(ask(answer, request).status() == 200);
}

TEST_CASE("two fields If-None-Match mean nothing") {
  auto const answer = rendered("[1]");
  auto request = get();
  request.if_none_match = {answer->etag, 2};
  CHECK(ask(answer, request).status() == 200);
}

TEST_CASE("HEAD gets the header block of GET and no body, small or large") {
  auto const size = GENERATE(std::size_t{2}, std::size_t{100'000});
  auto const answer = rendered(std::string(size, 'x'));
  auto const whole = ask(answer, get());
  auto const bare = ask(answer, head());
  CHECK(whole.body.size() == size);
  CHECK(whole["Content-Length"] == std::to_string(size));
  CHECK(bare.body.empty());
  CHECK(bare.fields == whole.fields);
  CHECK(bare.status_line == whole.status_line);
}

TEST_CASE("a large body is sent from where it is kept, with the same bytes as a small one's") {
  for (auto const size : {32 * 1024 - 1, 32 * 1024}) {
    auto const answer = rendered(std::string(static_cast<std::size_t>(size), 'x'));
    for (bool const keep_alive : {true, false}) {
      CAPTURE(size, keep_alive);
      auto request = get();
      request.keep_alive = keep_alive;
      Output out;
      append_answer(out, answer, request, moment, any);
      CHECK((out.tail != nullptr) == (size >= 32 * 1024));
      CHECK(out.accepts_more() == (size < 32 * 1024));
      auto const got = take_apart(out);
      CHECK(got.body == answer->body());
      CHECK(got["Content-Length"] == std::to_string(size));
    }
  }
}

TEST_CASE("an answer says what becomes of the connection where the version does not") {
  struct Row {
    bool http_1_1;
    bool keep_alive;
    std::string_view connection;
  };
  auto const row = GENERATE(Row{true, true, "(none)"}, Row{true, false, "close"}, Row{false, true, "keep-alive"},
                            Row{false, false, "close"});
  auto request = GENERATE(get(), head());
  request.http_1_1 = row.http_1_1;
  request.keep_alive = row.keep_alive;
  auto const answer = rendered("[1]");
  CHECK(ask(answer, request)["Connection"] == row.connection);
  CHECK(refuse(not_implemented(), request)["Connection"] == row.connection);
  request.if_none_match = field("*");
  CHECK(ask(answer, request)["Connection"] == row.connection);
}

TEST_CASE("the next page is a Link") {
  CHECK(ask(rendered("[]", "/api/v1/deployments?$limit=1&id%5B$gt%5D=1"), get())["Link"] ==
        "</api/v1/deployments?$limit=1&id%5B$gt%5D=1>; rel=\"next\"");
  CHECK_FALSE(ask(rendered("[]"), get()).has("Link"));
}

TEST_CASE("where answers vary by origin, one that is kept serves every origin") {
  auto const answer = rendered("[1]", {}, one);
  auto request = get();
  CHECK(ask(answer, request, one)["Vary"] == "Origin");
  CHECK_FALSE(ask(answer, request, one).has("Access-Control-Allow-Origin"));
  request.origin = field("https://a.example");
  for (auto const* const value : {"", "*"}) {
    request.if_none_match = field(value);
    auto const got = ask(answer, request, one);
    CHECK(got["Access-Control-Allow-Origin"] == "https://a.example");
    CHECK(got["Vary"] == "Origin");
  }
  request.origin = field("https://b.example");
  CHECK_FALSE(ask(answer, request, one).has("Access-Control-Allow-Origin"));
  CHECK_FALSE(refuse(not_implemented(), request, one).has("Access-Control-Allow-Origin"));
}

TEST_CASE("an error has its JSON, its length, and is not to be kept") {
  auto const error = GENERATE(bad_request("m"), no_such_record("7"), not_implemented(), HttpError{413, "m"});
  auto const got = refuse(error);
  CHECK(got.body == error_body(error));
  CHECK(got["Content-Length"] == std::to_string(got.body.size()));
  CHECK(got["Content-Type"] == "application/json; charset=utf-8");
  CHECK(got["Cache-Control"] == "no-store");
  CHECK(got["Access-Control-Allow-Origin"] == "*");
  CHECK(got["Date"] == moment.http_date);
  CHECK_FALSE(got.has("ETag"));
  auto const bare = refuse(error, head());
  CHECK(bare.body.empty());
  CHECK(bare.fields == got.fields);
}

TEST_CASE("each error has the field that goes with it, and no other has it") {
  CHECK(refuse(not_authenticated(false))["WWW-Authenticate"] == "Bearer");
  CHECK(refuse(not_authenticated(true))["WWW-Authenticate"] == "Bearer error=\"invalid_token\"");
  CHECK(refuse(not_implemented())["Allow"] == "GET, HEAD, OPTIONS");
  CHECK(refuse(too_many_requests(std::chrono::seconds(3)))["Retry-After"] == "3");
  CHECK(refuse(unavailable("m"))["Retry-After"] == "1");
  auto const plain = refuse(bad_request("m"));
  for (auto const* const name : {"WWW-Authenticate", "Allow", "Retry-After"}) CHECK_FALSE(plain.has(name));
}

TEST_CASE("a rendered answer takes a quarter more memory than it has bytes at most") {
  for (auto const size : {100U, 1'000U, 7'600U, 8'000U, 100'000U, 1'000'000U}) {
    CAPTURE(size);
    std::string body;
    while (body.size() < size) body += "1234567890";  // grows as a list does
    auto const answer = render_answer({.body = std::move(body)}, any);
    CHECK(answer.bytes.capacity() <= answer.bytes.size() + answer.bytes.size() / 4);
  }
}

TEST_CASE("OPTIONS is a 204 without a body or a length") {
  auto request = get();
  request.method = Method::options;
  Output out;
  append_options_answer(out, request, moment, any);
  auto const got = take_apart(out);
  CHECK(got.status_line == "HTTP/1.1 204 No Content");
  CHECK(got["Allow"] == "GET, HEAD, OPTIONS");
  CHECK_FALSE(got.has("Content-Length"));
  CHECK_FALSE(got.has("Content-Type"));
  CHECK_FALSE(got.has("Access-Control-Allow-Methods"));
  CHECK(got.body.empty());
}

TEST_CASE("a stream is chunked for HTTP/1.1 and ends with the connection for HTTP/1.0") {
  auto request = get();
  Output out;
  append_stream_head(out, {.link = "/next"}, request, moment, any);
  auto const chunked = take_apart(out);
  CHECK(chunked["Transfer-Encoding"] == "chunked");
  CHECK(chunked["Cache-Control"] == "private, no-cache");
  CHECK(chunked["Link"] == "</next>; rel=\"next\"");
  CHECK_FALSE(chunked.has("Connection"));

  request.http_1_1 = false;
  Output old;
  append_stream_head(old, {}, request, moment, any);
  auto const delimited = take_apart(old);
  CHECK_FALSE(delimited.has("Transfer-Encoding"));
  CHECK(delimited["Connection"] == "close");
  for (auto const& got : {chunked, delimited}) {
    CHECK_FALSE(got.has("ETag"));
    CHECK_FALSE(got.has("Content-Length"));
  }
}

TEST_CASE("an If-Match that does not name the ETag is 412, and one that does changes nothing") {
  auto const answer = rendered("[]");
  auto const etag = answer->etag;
  struct Case {
    std::string value;
    unsigned count;
    unsigned status;
  };
  auto const tried = GENERATE_COPY(Case{etag, 1, 200}, Case{"*", 1, 200}, Case{"\"other\", " + etag, 1, 200},
                                   Case{"\"other\"", 1, 412}, Case{"W/" + etag, 1, 412}, Case{"", 1, 412},
                                   Case{"junk", 1, 412}, Case{"junk, " + etag, 1, 412}, Case{etag, 2, 412});
  for (auto request : {get(), head()}) {
    CAPTURE(tried.value, tried.count, request.method_name);
    request.if_match = {tried.value, tried.count};
    auto const got = ask(answer, request);
    CHECK(got.status() == tried.status);
    CHECK(got.has("ETag") == (tried.status == 200));
    if (tried.status == 412 && request.method == Method::get)
      CHECK(got.body ==
            R"({"name":"PreconditionFailed","message":"The resource does not have an ETag that If-Match names",)"
            R"("code":412,"className":"precondition-failed"})");
    // If-Match comes first (RFC 9110 §13.2.2).
    request.if_none_match = field(etag);
    CHECK(ask(answer, request).status() == (tried.status == 200 ? 304U : 412U));
  }
}
