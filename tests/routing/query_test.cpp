#include "routing/query.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

using namespace deployd::routing;
using deployd::storage::Filter;
using namespace std::string_view_literals;

namespace {

constexpr auto greatest = std::numeric_limits<std::int64_t>::max();
constexpr auto least = std::numeric_limits<std::int64_t>::min();

std::string refusal(std::string_view query) {
  auto const filter = read_filter(query);
  return filter ? "no refusal" : filter.error().message;
}

}  // namespace

TEST_CASE("each parameter of the list sets its part of the filter, with its name encoded or not") {
  struct Row {
    std::string_view query;
    Filter want;
  };
  auto const row = GENERATE(
      Row{"", {}}, Row{"pattern=A", {.pattern = "A"}}, Row{"pattern=", {.pattern = ""}},
      Row{"pattern", {.pattern = ""}}, Row{"pattern_id=7", {.pattern_id = 7}}, Row{"pattern_id=-7", {.pattern_id = -7}},
      Row{"pattern_id=007", {.pattern_id = 7}}, Row{"pattern_id=9223372036854775807", {.pattern_id = greatest}},
      Row{"pattern_id=-9223372036854775808", {.pattern_id = least}}, Row{"name=x", {.name = "x"}},
      Row{"name=a=b", {.name = "a=b"}}, Row{"$limit=0", {.limit = 0}}, Row{"%24limit=10", {.limit = 10}},
      Row{"$limit=9223372036854775807", {.limit = static_cast<std::uint64_t>(greatest)}}, Row{"$skip=3", {.skip = 3}},
      Row{"%24skip=3", {.skip = 3}}, Row{"id[$gt]=5", {.id_greater_than = 5}},
      Row{"id%5B%24gt%5D=-5", {.id_greater_than = -5}}, Row{"id%5b$gt%5d=5", {.id_greater_than = 5}},
      Row{"n%61me=x", {.name = "x"}}, Row{"&&name=x&", {.name = "x"}},
      Row{"pattern=A&pattern_id=1&name=n&$limit=2&$skip=3&id[$gt]=4",
          {.pattern = "A", .pattern_id = 1, .name = "n", .id_greater_than = 4, .limit = 2, .skip = 3}});
  CAPTURE(row.query);
  auto const filter = read_filter(row.query);
  REQUIRE(filter.has_value());
  CHECK(filter->pattern == row.want.pattern);
  CHECK(filter->pattern_id == row.want.pattern_id);
  CHECK(filter->name == row.want.name);
  CHECK(filter->id_greater_than == row.want.id_greater_than);
  CHECK(filter->limit == row.want.limit);
  CHECK(filter->skip == row.want.skip);
}

TEST_CASE("values are decoded with a plus sign for a space, and once") {
  CHECK(read_filter("name=a+b%2Bc%20d%2526")->name == "a b+c d%26");
  CHECK(read_filter("name=%E2%82%AC%F0%9D%84%9E")->name == "\xE2\x82\xAC\xF0\x9D\x84\x9E");
  CHECK(read_filter("pattern=\xC3\xA4")->pattern == "\xC3\xA4");
  CHECK(read_filter("name=a%26b%3Dc")->name == "a&b=c");
}

TEST_CASE("a query that is not understood is refused with a message that names the parameter") {
  struct Row {
    std::string_view query;
    std::string_view message;
  };
  auto const row = GENERATE(
      Row{"foo=1", "Query parameter 'foo' is unknown"}, Row{"Name=x", "Query parameter 'Name' is unknown"},
      Row{"=x", "Query parameter '' is unknown"}, Row{"id=1", "Query parameter 'id' is unknown"},
      Row{"limit=1", "Query parameter 'limit' is unknown"}, Row{"id[$lt]=1", "Query parameter 'id[$lt]' is unknown"},
      Row{"pattern[]=a", "Query parameter 'pattern[]' is unknown"},
      Row{"name%20=a", "Query parameter 'name ' is unknown"},
      Row{"name=a&name=a", "Query parameter 'name' is given more than once"},
      Row{"name=a&n%61me=b", "Query parameter 'name' is given more than once"},
      Row{"foo=a&foo=b", "Query parameter 'foo' is unknown"}, Row{"foo=%&name=%", "Query parameter 'foo' is unknown"},
      Row{"name=a&foo=%FF&bar", "Query parameter 'foo' is unknown"},
      Row{"name=a&name=%", "Query parameter 'name' is given more than once"},
      Row{"&&=&x", "Query parameter '' is unknown"},
      Row{"$skip=0&%24skip=0", "Query parameter '$skip' is given more than once"},
      Row{"name=%", "Query parameter 'name' has a bad percent escape"},
      Row{"name=%4", "Query parameter 'name' has a bad percent escape"},
      Row{"pattern=a%zzb", "Query parameter 'pattern' has a bad percent escape"},
      Row{"na%me=x", "Query parameter 'na%me' has a bad percent escape"},
      Row{"name=%FF", "Query parameter 'name' is not UTF-8"}, Row{"name=\xC3", "Query parameter 'name' is not UTF-8"},
      Row{"name=%ED%A0%80", "Query parameter 'name' is not UTF-8"}, Row{"%FF=x", "Query parameter '%FF' is not UTF-8"},
      Row{"\xFF=x", "Query parameter '\xEF\xBF\xBD' is not UTF-8"});
  CAPTURE(row.query);
  CHECK(refusal(row.query) == row.message);
}

TEST_CASE("an unknown parameter comes with the known one that it is near to") {
  auto const suggestion = [](std::string_view query) { return read_filter(query).error().did_you_mean; };
  CHECK(suggestion("patternId=1") == "pattern_id");
  CHECK(suggestion("Pattern=x") == "pattern");
  CHECK(suggestion("limit=1") == "$limit");
  CHECK(suggestion("id[$lt]=1") == "id[$gt]");
  CHECK(suggestion("foo=1").empty());
  CHECK(suggestion("name=a&name=b").empty());
  CHECK(suggestion("$limit=x").empty());
  CHECK(expect_no_parameters("name=x").error().did_you_mean.empty());
  CHECK(read_filter("Name=x", deployd::storage::Table::patterns).error().did_you_mean == "name");
  CHECK(read_filter("Pattern=x", deployd::storage::Table::patterns).error().did_you_mean.empty());
}

TEST_CASE("a pattern_id or id[$gt] that is no decimal 64-bit integer is refused") {
  auto const value =
      GENERATE("", "x", "1x", "1.0", "1e3", "0x10", "+1", "%2B1", "%201", "1%20", "-", "--1", "-+1",
               "9223372036854775808", "-9223372036854775809", "99999999999999999999999", "1,2", "\xD9\xA1");
  auto const name = GENERATE("pattern_id", "id[$gt]");
  auto const query = std::string(name) + "=" + value;
  CAPTURE(query);
  CHECK(refusal(query).starts_with("Query parameter '" + std::string(name) +
                                   "' must be a decimal 64-bit integer, not '"));
}

TEST_CASE("a $limit or $skip that is no count is refused") {
  auto const value = GENERATE("", "-1", "-0", "x", "1.5", "+1", "9223372036854775808", "18446744073709551615");
  auto const name = GENERATE("$limit", "$skip");
  auto const query = std::string(name) + "=" + value;
  CAPTURE(query);
  CHECK(refusal(query) == "Query parameter '" + std::string(name) +
                              "' must be a decimal integer from 0 to 9223372036854775807, not '" +
                              (std::string_view(value) == "+1" ? " 1" : value) + "'");
}

TEST_CASE("a route without parameters refuses the first one by name") {
  CHECK(expect_no_parameters("").has_value());
  CHECK(expect_no_parameters("&").has_value());
  auto const refused = expect_no_parameters("&name=x&y=z");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message == "Query parameter 'name' is unknown");
  CHECK(expect_no_parameters("%=x").error().message == "Query parameter '%' has a bad percent escape");
}

TEST_CASE("a query is read up to its first error, however much stands behind it") {
  std::string tail;
  for (char first = 'a'; first <= 'z'; ++first)
    for (char second = 'a'; second <= 'z'; ++second) tail += std::string("&") + first + second + "=%";
  CHECK(refusal("zz=1" + tail) == "Query parameter 'zz' is unknown");
  CHECK(refusal("name=x&name=y" + tail) == "Query parameter 'name' is given more than once");
  CHECK(refusal("name=x&$limit=y" + tail).starts_with("Query parameter '$limit' must be"));
  CHECK(refusal("name=x" + tail) == "Query parameter 'aa' is unknown");
  CHECK(expect_no_parameters("zz=1" + tail).error().message == "Query parameter 'zz' is unknown");
}

TEST_CASE("only the plain decimal form of an integer is an id") {
  CHECK(parse_plain_id("0") == 0);
  CHECK(parse_plain_id("1") == 1);
  CHECK(parse_plain_id("-7") == -7);
  CHECK(parse_plain_id("9223372036854775807") == greatest);
  CHECK(parse_plain_id("-9223372036854775808") == least);
  auto const text = GENERATE(""sv, "-"sv, "-0"sv, "00"sv, "01"sv, "-01"sv, "+1"sv, " 1"sv, "1 "sv, "1/"sv, "1.0"sv,
                             "0x1"sv, "1e0"sv, "9223372036854775808"sv, "-9223372036854775809"sv, "1\0"sv);
  CAPTURE(text);
  CHECK_FALSE(parse_plain_id(text));
}

TEST_CASE("the next page asks for the same list behind the last row, without skipping again") {
  CHECK(next_page({.limit = 2, .skip = 5}, 7) == "/api/v1/deployments?$limit=2&id%5B$gt%5D=7");
  Filter const filter{.pattern = "A&B=\xC3\xA4 +", .pattern_id = -3, .name = "", .id_greater_than = 1, .limit = 10};
  auto const reference = next_page(filter, 42);
  CHECK(reference == "/api/v1/deployments?pattern=A%26B%3D%C3%A4%20%2B&pattern_id=-3&name=&$limit=10&id%5B$gt%5D=42");
  auto const again = read_filter(std::string_view(reference).substr(reference.find('?') + 1));
  REQUIRE(again.has_value());
  CHECK(again->pattern == filter.pattern);
  CHECK(again->pattern_id == filter.pattern_id);
  CHECK(again->name == filter.name);
  CHECK(again->limit == filter.limit);
  CHECK(again->skip == 0);
  CHECK(again->id_greater_than == 42);
}
