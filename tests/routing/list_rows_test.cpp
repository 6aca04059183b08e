#include "routing/list_rows.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>

using namespace deployd::routing;
using deployd::storage::Table;

namespace {

std::string list(Table table, Format format, int rows) {
  std::string out;
  ListRows sink(out, 1'000'000, table, format);
  sink.begin();
  for (int i = 1; i <= rows; ++i) sink.row(i, 7, i == 1 ? "a" : "b,c");
  sink.end();
  return out;
}

}  // namespace

TEST_CASE("a list is an array, lines of objects, or a table with a header") {
  CHECK(list(Table::deployments, Format::json, 2) ==
        R"([{"id":1,"pattern_id":7,"name":"a"},{"id":2,"pattern_id":7,"name":"b,c"}])");
  CHECK(list(Table::deployments, Format::ndjson, 2) ==
        "{\"id\":1,\"pattern_id\":7,\"name\":\"a\"}\n{\"id\":2,\"pattern_id\":7,\"name\":\"b,c\"}\n");
  CHECK(list(Table::deployments, Format::csv, 2) == "id,pattern_id,name\r\n1,7,a\r\n2,7,\"b,c\"\r\n");
  CHECK(list(Table::patterns, Format::json, 2) == R"([{"id":1,"name":"a"},{"id":2,"name":"b,c"}])");
  CHECK(list(Table::patterns, Format::ndjson, 2) == "{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"name\":\"b,c\"}\n");
  CHECK(list(Table::patterns, Format::csv, 2) == "id,name\r\n1,a\r\n2,\"b,c\"\r\n");
}

TEST_CASE("an empty list has its frame and no row") {
  auto const table = GENERATE(Table::deployments, Table::patterns);
  CHECK(list(table, Format::json, 0) == "[]");
  CHECK(list(table, Format::ndjson, 0).empty());
  CHECK(list(table, Format::csv, 0) == (table == Table::patterns ? "id,name\r\n" : "id,pattern_id,name\r\n"));
}

TEST_CASE("a list is the same when what is written is taken away in between") {
  auto const format = GENERATE(Format::json, Format::ndjson, Format::csv);
  std::string out;
  std::string taken;
  ListRows sink(out, 1'000'000, Table::deployments, format);
  sink.begin();
  for (int i = 1; i <= 3; ++i) {
    sink.row(i, 7, i == 1 ? "a" : "b,c");
    CHECK(sink.last_id() == i);
    taken += out;
    out.clear();
  }
  sink.end();
  CHECK(taken + out == list(Table::deployments, format, 3));
}

TEST_CASE("rows have had enough when the bytes are, and not before") {
  auto const format = GENERATE(Format::json, Format::ndjson, Format::csv);
  std::string out;
  ListRows first(out, 1'000'000, Table::deployments, format);
  first.row(1, 1, "a");
  auto const size = out.size();
  out.clear();
  ListRows rows(out, 2 * size, Table::deployments, format);
  CHECK(rows.row(1, 1, "a"));
  CHECK_FALSE(rows.row(2, 1, "b"));
  out.clear();
  CHECK(rows.row(3, 1, "c"));
}
