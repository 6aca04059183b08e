#include "auth/strict_json.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>

using deployd::auth::read_json_object;

TEST_CASE("an object is read, with white space around it") {
  auto const object = read_json_object(" \r\n{\"a\": [1, {\"b\": \"x:\\\"y\\\\\"}], \"c\": {\"a\": null}}\t ", {8});
  REQUIRE(object.has_value());
  CHECK(object->at("a").as_array()[1].as_object().at("b") == "x:\"y\\");
}

TEST_CASE("what is no strict JSON object is refused") {
  std::string const text = GENERATE(
      as<std::string>{}, "", " ", "null", "[]", "\"{}\"", "1", "{", "}", "{}}", "{} {}", "{},", "{\"a\":1,}", "{a:1}",
      "{'a':1}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":1.}", "{\"a\":NaN}", "{\"a\":Infinity}",
      "{\"a\":1 /* */}", "// x\n{}", "\xef\xbb\xbf{}", "{\"a\":\"\xff\"}", "{\"a\":\"\xc0\x80\"}",
      "{\"a\":\"\xed\xa0\x80\"}", "{\"\xff\":1}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\n\"}", "{\"a\":\"\\x41\"}",
      std::string("{}\0", 3), std::string("{\"a\":\"\0\"}", 9), "{\"a\":1:2}", "{\"a\" 1}", "{\"a\":tru}");
  CAPTURE(text);
  CHECK_FALSE(read_json_object(text, {8}).has_value());
}

TEST_CASE("a member that occurs twice in one object is refused, at any depth and however it is written") {
  std::string const text =
      GENERATE(as<std::string>{}, R"({"a":1,"a":1})", R"({"a":1,"b":2,"a":3})", R"({"a":1,"\u0061":2})",
               R"({"o":{"a":1,"a":2}})", R"({"o":[[{"a":1,"a":2}]]})", R"({"":1,"":2})", R"({"o":{"a":1},"o":{}})",
               R"({"o":{},"o":{"a":1}})", R"({"a:":1,"a:":2})", R"({"\"":1,"\"":2})");
  CAPTURE(text);
  auto const object = read_json_object(text, {8});
  REQUIRE(object.has_error());
  CHECK(object.error().what == "a member name occurs twice");
}

TEST_CASE("the same name in different objects is no duplicate") {
  CHECK(read_json_object(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}],"A":":::\":{"})", {8}).has_value());
}

TEST_CASE("many members with one duplicate among them are refused") {
  std::string text = "{";
  for (int i = 0; i < 500; ++i) text += "\"m" + std::to_string(i) + "\":0,";
  CHECK(read_json_object(text + "\"x\":0}", {8}).has_value());
  CHECK_FALSE(read_json_object(text + "\"m250\":0}", {8}).has_value());
}

TEST_CASE("nesting deeper than allowed is refused") {
  CHECK(read_json_object(R"({"a":{"b":{"c":1}}})", {3}).has_value());
  CHECK_FALSE(read_json_object(R"({"a":{"b":{"c":{}}}})", {3}).has_value());
  CHECK_FALSE(read_json_object("{\"a\":" + std::string(100000, '['), {16}).has_value());
}
