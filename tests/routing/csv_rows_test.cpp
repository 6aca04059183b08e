// RFC 4180.
#include "routing/list_rows.hpp"

#include <csv.h>
#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/utf8.hpp"

using namespace deployd::routing;
using deployd::tests::append_utf8;

namespace {

std::string row(std::int64_t id, std::optional<std::int64_t> pattern_id, std::optional<std::string_view> name) {
  std::string out;
  append_csv(out, id, pattern_id, name);
  return out;
}

/// The fields of all rows, as libcsv reads them.
std::vector<std::string> read(std::string const& text) {
  std::vector<std::string> fields;
  csv_parser parser;
  REQUIRE(csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) == 0);
  auto const add = [](void* bytes, std::size_t size, void* to) {
    static_cast<std::vector<std::string>*>(to)->emplace_back(static_cast<char const*>(bytes), size);
  };
  REQUIRE(csv_parse(&parser, text.data(), text.size(), add, nullptr, &fields) == text.size());
  REQUIRE(csv_fini(&parser, add, nullptr, &fields) == 0);
  csv_free(&parser);
  return fields;
}

}  // namespace

TEST_CASE("a row of CSV has its ids in full and quotes only where it must") {
  CHECK(row(1, 2, "API of DEV") == "1,2,API of DEV\r\n");
  CHECK(row(1, std::nullopt, "CORE") == "1,CORE\r\n");
  CHECK(row(std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(), "a") ==
        "9223372036854775807,-9223372036854775808,a\r\n");
  CHECK(row(1, 1, "a,b") == "1,1,\"a,b\"\r\n");
  CHECK(row(1, 1, "say \"hi\"") == "1,1,\"say \"\"hi\"\"\"\r\n");
  CHECK(row(1, 1, "\"") == "1,1,\"\"\"\"\r\n");
  CHECK(row(1, 1, "a\nb\r\nc") == "1,1,\"a\nb\r\nc\"\r\n");
  CHECK(row(1, 1, " a") == "1,1,\" a\"\r\n");
  CHECK(row(1, 1, "a;b") == "1,1,\"a;b\"\r\n");
  CHECK(row(1, 1, "\xC3\xA4") == "1,1,\xC3\xA4\r\n");
}

TEST_CASE("a name that is missing is an empty field, and an empty name is quoted") {
  CHECK(row(1, 1, std::nullopt) == "1,1,\r\n");
  CHECK(row(1, 1, "") == "1,1,\"\"\r\n");
}

TEST_CASE("bytes of a name that are not UTF-8 are replaced in CSV too") {
  CHECK(row(1, 1, "a\xFF,") == "1,1,\"a\xEF\xBF\xBD,\"\r\n");
}

TEST_CASE("whatever a name holds, libcsv reads it back") {
  std::mt19937 random(11);
  for (int round = 0; round < 3000; ++round) {
    std::string name;
    for (auto left = random() % 12; left > 0; --left)
      append_utf8(
          name, std::vector<std::uint32_t>{'"', ',', '\r', '\n', ' ', ';', '\t', 'a', 0x20AC, 0x1F600}[random() % 10]);
    auto const text = row(round, 7, name);
    CAPTURE(text);
    REQUIRE(read(text) == std::vector<std::string>{std::to_string(round), "7", name});
  }
}
