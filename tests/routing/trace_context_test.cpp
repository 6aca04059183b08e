#include "routing/trace_context.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>

using namespace deployd::routing;

namespace {

constexpr std::string_view trace_id = "0af7651916cd43dd8448eb211c80319c";
constexpr std::string_view parent_id = "b7ad6b7169203331";

}  // namespace

TEST_CASE("a traceparent is read") {
  auto const value = GENERATE("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
                              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff",
                              // of a version to come, which may say more
                              "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                              "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-brings");
  CAPTURE(value);
  auto const context = parse_traceparent(value);
  REQUIRE(context);
  CHECK(context->trace_id == trace_id);
  CHECK(context->parent_id == parent_id);
}

TEST_CASE("a traceparent that is not valid is none") {
  auto const value = GENERATE("", "00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                              "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
                              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-011",
                              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
                              "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
                              "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                              "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
                              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
                              "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
                              "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                              "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                              "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                              "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
                              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",
                              "zz-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  CAPTURE(value);
  CHECK_FALSE(parse_traceparent(value));
}

TEST_CASE("a request with two traceparents is part of no trace") {
  std::string const line = "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
  Request request;
  request.field_lines = line;
  CHECK(trace_context(request).trace_id == trace_id);
  auto const twice = line + line;
  request.field_lines = twice;
  CHECK(trace_context(request).trace_id.empty());
}
