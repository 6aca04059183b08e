#include "routing/list_rows.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "base/utf8.hpp"
#include "tests/utf8.hpp"

using namespace deployd::routing;
using deployd::tests::append_utf8;

namespace {

std::string deployment(std::int64_t id, std::int64_t pattern_id, std::string_view name) {
  std::string out;
  append_json(out, id, pattern_id, name);
  return out;
}

/// Up to 30 code points, of each length of UTF-8 as many, control characters among them.
std::string random_text(std::mt19937& random) {
  std::string text;
  for (auto left = random() % 31; left > 0; --left) {
    static constexpr std::uint32_t limits[] = {0x20, 0x80, 0x800, 0x10000, 0x110000};
    auto const point = static_cast<std::uint32_t>(random() % limits[random() % 5]);
    append_utf8(text, point >= 0xD800 && point < 0xE000 ? 0x22 : point);
  }
  return text;
}

}  // namespace

TEST_CASE("a deployment is written with its keys in order and its ids in full") {
  CHECK(deployment(1, 2, "API") == R"({"id":1,"pattern_id":2,"name":"API"})");
  CHECK(deployment(std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(), "") ==
        R"({"id":9223372036854775807,"pattern_id":-9223372036854775808,"name":""})");
  CHECK(deployment(0, 0, "a\"\\\n\x01/\x7F\xE2\x82\xAC") ==
        "{\"id\":0,\"pattern_id\":0,\"name\":\"a\\\"\\\\\\n\\u0001/\x7F\xE2\x82\xAC\"}");
}

TEST_CASE("whatever a name holds, the deployment is the JSON that Boost.JSON writes and reads back") {
  std::mt19937 random(42);
  for (int round = 0; round < 3000; ++round) {
    auto const name = random_text(random);
    REQUIRE(deployd::base::is_utf8(name));
    auto const text = deployment(round, 1, name);
    REQUIRE(text == boost::json::serialize(boost::json::value{{"id", round}, {"pattern_id", 1}, {"name", name}}));
    REQUIRE(boost::json::parse(text).at("name").as_string() == name);
  }
}
