// Exports of every store, to the byte.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <fstream>
#include <ios>
#include <sstream>
#include <string>

#include "storage/error.hpp"
#include "storage/session/session.hpp"
#include "storage/transfer/export.hpp"
#include "storage/transfer/import.hpp"
#include "tests/storage/store_under_test.hpp"

namespace deployd::storage {
namespace {

Kind every_kind() {
  return GENERATE(Kind::sqlite, Kind::postgresql);
}

std::string exported(DatabaseUrl const& url, ExportFormat format, Relations const& relations = {},
                     ExportTables tables = ExportTables::both) {
  std::ostringstream out;
  export_all(url, relations, format, tables, out);
  return out.str();
}

void import_text(DatabaseUrl const& url, std::string const& text) {
  std::istringstream stream(text);
  import(url, {}, {{ "-", &stream }}, {}, [](ImportProgress const&){});
}

TEST_CASE("an export of an empty store can be imported") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  CHECK(exported(url, ExportFormat::json) == "{\"patterns\":[],\"deployments\":[]}\n");
  CHECK(exported(url, ExportFormat::ndjson).empty());
  CHECK(exported(url, ExportFormat::csv) == "id,name\n\nid,pattern_id,name\n");
  import_text(url, exported(url, ExportFormat::csv));
  import_text(url, exported(url, ExportFormat::json));
  import_text(url, exported(url, ExportFormat::ndjson));
}

TEST_CASE("an export has patterns and deployments by id, without white space, in both formats") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.write("INSERT INTO patterns VALUES (2, 'B'), (-1, ''), (9223372036854775807, 'A')");
  under_test.write("INSERT INTO deployments VALUES (5, 2, 'x'), (-3, -1, 'y')");
  CHECK(exported(url, ExportFormat::json) ==
        R"({"patterns":[{"id":-1,"name":""},{"id":2,"name":"B"},{"id":9223372036854775807,"name":"A"}],)"
        R"("deployments":[{"id":-3,"pattern_id":-1,"name":"y"},{"id":5,"pattern_id":2,"name":"x"}]})"
        "\n");
  CHECK(exported(url, ExportFormat::ndjson) ==
        "{\"pattern\":{\"id\":-1,\"name\":\"\"}}\n{\"pattern\":{\"id\":2,\"name\":\"B\"}}\n"
        "{\"pattern\":{\"id\":9223372036854775807,\"name\":\"A\"}}\n"
        "{\"deployment\":{\"id\":-3,\"pattern_id\":-1,\"name\":\"y\"}}\n"
        "{\"deployment\":{\"id\":5,\"pattern_id\":2,\"name\":\"x\"}}\n");
}

TEST_CASE("an export as CSV has a header for each table, and an empty line between them") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.write("INSERT INTO patterns VALUES (2, 'B'), (-1, ''), (3, ' a,\"b\"')");
  under_test.write("INSERT INTO deployments VALUES (5, 2, '=1+1'), (-3, -1, 'x;y'), (9223372036854775807, 2, 'z')");
  std::string const patterns = "id,name\n-1,\"\"\n2,B\n3,\" a,\"\"b\"\"\"\n";
  std::string const deployments = "id,pattern_id,name\n-3,-1,\"x;y\"\n5,2,=1+1\n9223372036854775807,2,z\n";
  CHECK(exported(url, ExportFormat::csv) == patterns + "\n" + deployments);
  CHECK(exported(url, ExportFormat::csv, {}, ExportTables::patterns) == patterns);
  CHECK(exported(url, ExportFormat::csv, {}, ExportTables::deployments) == deployments);
}

TEST_CASE("an export of one table has nothing of the other") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(1);
  CHECK(exported(url, ExportFormat::json, {}, ExportTables::deployments) ==
        "{\"deployments\":[{\"id\":10,\"pattern_id\":1,\"name\":\"d1\"}]}\n");
  CHECK(exported(url, ExportFormat::json, {}, ExportTables::patterns) ==
        R"({"patterns":[{"id":1,"name":"ALPHA"},{"id":2,"name":"BETA"},{"id":3,"name":"EMPTY"}]})"
        "\n");
  CHECK(exported(url, ExportFormat::ndjson, {}, ExportTables::deployments) ==
        "{\"deployment\":{\"id\":10,\"pattern_id\":1,\"name\":\"d1\"}}\n");
}

/// Every character that a format on the way could take for something else.
std::string difficult_names() {
  std::string text =
      R"({"patterns":[{"id":1,"name":"\\N"},{"id":2,"name":"\\."},{"id":3,"name":"NULL"}],"deployments":[)";
  for (int i = 1; i < 0x80; ++i) {
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(i));
    text += R"({"id":)" + std::to_string(i) + R"(,"pattern_id":1,"name":")" + escape + "a" + escape + escape + "\"},";
  }
  return text + R"({"id":200,"pattern_id":3,"name":"\ud83d\ude00\u00e9\u2028\uffff \\n\\t\\\\"}]})";
}

TEST_CASE("what is imported from an export exports to the same bytes, from store to store") {
  auto const format = GENERATE(ExportFormat::json, ExportFormat::ndjson, ExportFormat::csv);
  StoreUnderTest first(every_kind());
  StoreUnderTest second(every_kind());
  import_text(first.options.url, difficult_names());
  auto const text = exported(first.options.url, format);
  CHECK(text.find(format == ExportFormat::csv ? "\x01"
                                                "a\x01\x01"
                                              : "\\u0001a\\u0001\\u0001") != text.npos);
  CHECK(text.find(format == ExportFormat::csv ? "1,\\N\n" : R"("name":"\\N")") != text.npos);
  import_text(second.options.url, text);
  CHECK(exported(second.options.url, format) == text);
}

TEST_CASE("an export that cannot be written fails") {
  StoreUnderTest under_test(every_kind());
  under_test.fill(5000);
  std::ofstream full("/dev/full");
  CHECK_THROWS_AS(export_all(under_test.options.url, {}, ExportFormat::json, ExportTables::both, full),
                  std::ios_base::failure);
}

TEST_CASE("a short export, which the stream keeps to the end, fails as well when it cannot be written") {
  StoreUnderTest under_test(every_kind());
  std::ofstream full("/dev/full");
  CHECK_THROWS_AS(export_all(under_test.options.url, {}, ExportFormat::json, ExportTables::both, full),
                  std::ios_base::failure);
}

TEST_CASE("an export makes no schema") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("none.db")};
  std::ostringstream out;
  try {
    export_all(url, {}, ExportFormat::json, ExportTables::both, out);
    FAIL("exported");
  } catch (Error const& error) {
    CHECK(error.code() == errc::missing);
  }
  CHECK(out.str().empty());
}

TEST_CASE("an export reads other programs' relations") {
  StoreUnderTest under_test(Kind::postgresql);
  auto const& url = under_test.options.url;
  auto const session = open_session(url, Access::write);
  *session << "CREATE TABLE sorts (id int, name varchar(20), colour text)";
  *session << "CREATE TABLE things (id int, sort int, title text)";
  *session << "CREATE VIEW \"the Things\" AS SELECT id, sort AS pattern_id, title AS name FROM things";
  *session << "INSERT INTO sorts VALUES (2, 'B', 'red'), (1, 'A', NULL)";
  *session << "INSERT INTO things VALUES (4, 1, 'four'), (3, 2, 'three')";
  CHECK(exported(url, ExportFormat::json, {"sorts", "public.\"the Things\""}) ==
        R"({"patterns":[{"id":1,"name":"A"},{"id":2,"name":"B"}],)"
        R"("deployments":[{"id":3,"pattern_id":2,"name":"three"},{"id":4,"pattern_id":1,"name":"four"}]})"
        "\n");
}

}  // namespace
}  // namespace deployd::storage
