#include "routing/http_error.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>
#include <string_view>

using namespace deployd::routing;
using namespace std::chrono_literals;

TEST_CASE("every error has the form that the original's clients read") {
  struct Row {
    HttpError error;
    std::string_view body;
    std::string_view reason;
  };
  auto const row = GENERATE(
      Row{bad_request("Query parameter 'x' is unknown"),
          R"({"name":"BadRequest","message":"Query parameter 'x' is unknown","code":400,"className":"bad-request"})",
          "Bad Request"},
      Row{not_authenticated(false),
          R"({"name":"NotAuthenticated","message":"Not authenticated","code":401,"className":"not-authenticated"})",
          "Unauthorized"},
      Row{no_such_pattern("X"),
          R"({"name":"NotFound","message":"A pattern with the name 'X' does not exist!","code":404,"className":"not-found"})",
          "Not Found"},
      Row{no_such_record("7"),
          R"({"name":"NotFound","message":"No record found for id '7'","code":404,"className":"not-found"})",
          "Not Found"},
      Row{no_such_path("/x"), R"({"name":"NotFound","message":"Path /x not found","code":404,"className":"not-found"})",
          "Not Found"},
      Row{{408, "m"}, R"({"name":"Timeout","message":"m","code":408,"className":"timeout"})", "Request Timeout"},
      Row{{413, "m"},
          R"({"name":"ContentTooLarge","message":"m","code":413,"className":"content-too-large"})",
          "Content Too Large"},
      Row{{414, "m"}, R"({"name":"UriTooLong","message":"m","code":414,"className":"uri-too-long"})", "URI Too Long"},
      Row{{417, "m"},
          R"({"name":"ExpectationFailed","message":"m","code":417,"className":"expectation-failed"})",
          "Expectation Failed"},
      Row{too_many_requests(2s),
          R"({"name":"TooManyRequests","message":"Too many requests","code":429,"className":"too-many-requests"})",
          "Too Many Requests"},
      Row{{431, "m"},
          R"({"name":"RequestHeaderFieldsTooLarge","message":"m","code":431,"className":"request-header-fields-too-large"})",
          "Request Header Fields Too Large"},
      Row{{500, "m"},
          R"({"name":"GeneralError","message":"m","code":500,"className":"general-error"})",
          "Internal Server Error"},
      Row{not_implemented(),
          R"({"name":"NotImplemented","message":"Not implemented","code":501,"className":"not-implemented"})",
          "Not Implemented"},
      Row{unavailable("m"), R"({"name":"Unavailable","message":"m","code":503,"className":"unavailable"})",
          "Service Unavailable"},
      Row{{505, "m"},
          R"({"name":"HttpVersionNotSupported","message":"m","code":505,"className":"http-version-not-supported"})",
          "HTTP Version Not Supported"});
  CHECK(error_body(row.error) == row.body);
  CHECK(reason_phrase(row.error.status) == row.reason);
}

TEST_CASE("a suggestion is in the data of the error and leaves the message as it is") {
  auto error = bad_request("m");
  error.did_you_mean = "$limit";
  CHECK(error_body(error) ==
        R"({"name":"BadRequest","message":"m","code":400,"className":"bad-request","data":{"didYouMean":"$limit"}})");
}

TEST_CASE("the caller's text cannot break out of the message") {
  std::string const text = "'\"},{\"code\":200\\\n\r\t\x01<script>\xE2\x82\xAC";
  auto const error = GENERATE_COPY(no_such_pattern(text), no_such_record(text), no_such_path(text), bad_request(text));
  auto const body = error_body(error);
  CAPTURE(body);
  auto const parsed = boost::json::parse(body).as_object();
  CHECK(parsed.size() == 4);
  CHECK(parsed.at("message").as_string() == error.message);
  CHECK(error.message.find(text) != std::string::npos);
  CHECK(parsed.at("code").as_int64() == error.status);
  CHECK(body.find('\n') == std::string::npos);
}

TEST_CASE("errors that pass say when to come back") {
  CHECK(too_many_requests(7s).retry_after == 7s);
  CHECK(unavailable("m").retry_after.value() >= 1s);
  CHECK_FALSE(not_implemented().retry_after);
}
