// Mirrors in every store: what is there afterwards, and what is not.
#include "storage/transfer/mirror.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <sstream>
#include <string>

#include "storage/error.hpp"
#include "storage/transfer/export.hpp"
#include "storage/transfer/row_spool.hpp"
#include "tests/storage/store_under_test.hpp"

namespace deployd::storage {
namespace {

Kind every_kind() {
  return GENERATE(Kind::sqlite, Kind::postgresql);
}

std::string exported(DatabaseUrl const& url) {
  std::ostringstream out;
  export_all(url, {}, ExportFormat::csv, ExportTables::both, out);
  return out.str();
}

using Fill = std::function<void(RowSpool&)>;

ImportChanges mirrored(DatabaseUrl const& url, MirrorOptions const& options, Fill const& fill) {
  RowSpool rows;
  fill(rows);
  return mirror(url, {}, rows, options);
}

/// Why the rows are refused; empty if they are not.
std::string refusal_of(DatabaseUrl const& url, MirrorOptions const& options, Fill const& fill) {
  try {
    mirrored(url, options, fill);
    return "";
  } catch (Error const& error) {
    CHECK(error.code() == errc::bad_input);
    return error.what();
  }
}

std::string in_words(ImportChanges const& changes) {
  std::string text;
  for (auto const& rows : {changes.patterns, changes.deployments})
    text += '+' + std::to_string(rows.added) + " ~" + std::to_string(rows.updated) + " =" +
            std::to_string(rows.unchanged) + " -" + std::to_string(rows.deleted) + ' ';
  return text;
}

TEST_CASE("a whole mirror has the rows of its source and no others") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(4);
  auto const fill = [](RowSpool& rows) {
    rows.add({.id = 50, .pattern_id = 9, .name = "new"});
    rows.add({.id = 10, .pattern_id = 1, .name = "renamed"});
    rows.add({.id = 20, .pattern_id = 9, .name = "d2"});
    rows.add({.id = 30, .pattern_id = 1, .name = "d0"});
    rows.add({.id = 9, .name = "NEW"});
    rows.add({.id = 1, .name = "BETA"});
  };
  CHECK(in_words(mirrored(url, {.dry_run = true}, fill)) == "+1 ~1 =0 -2 +1 ~2 =1 -1 ");
  CHECK(exported(url).find("EMPTY") != std::string::npos);
  CHECK(in_words(mirrored(url, {}, fill)) == "+1 ~1 =0 -2 +1 ~2 =1 -1 ");
  CHECK(exported(url) ==
        "id,name\n1,BETA\n9,NEW\n\nid,pattern_id,name\n10,1,renamed\n20,9,d2\n30,1,d0\n"
        "50,9,new\n");
  CHECK_FALSE(any(mirrored(url, {}, fill)));
  CHECK(in_words(mirrored(url, {}, [](RowSpool&) {})) == "+0 ~0 =0 -2 +0 ~0 =0 -4 ");
}

TEST_CASE("a mirror that changes nothing leaves kept answers valid") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  auto const fill = [](RowSpool& rows) {
    rows.add({.id = 1, .name = "A"});
    rows.add({.id = 10, .pattern_id = 1, .name = "x"});
  };
  mirrored(url, {}, fill);
  REQUIRE(under_test.wait_for_new_version(std::nullopt, std::chrono::seconds(10)));
  auto const before = under_test.store().data_version();
  CHECK_FALSE(any(mirrored(url, {}, fill)));
  CHECK_FALSE(under_test.wait_for_new_version(before, std::chrono::milliseconds(300)));
}

TEST_CASE("a mirror makes the store that is not there yet") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("new.db")};
  auto const fill = [](RowSpool& rows) { rows.add({.id = 1, .name = "A"}); };
  mirrored(url, {.dry_run = true}, fill);
  CHECK_FALSE(std::filesystem::exists(url.path));
  mirrored(url, {}, fill);
  CHECK(exported(url).starts_with("id,name\n1,A\n"));
}

TEST_CASE("a mirror of named patterns leaves all others alone") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(4);
  auto const changes = mirrored(url, {.patterns = {"ALPHA"}}, [](RowSpool& rows) {
    rows.add({.id = 1, .name = "ALPHA"});
    rows.add({.id = 30, .pattern_id = 1, .name = "d0"});
    rows.add({.id = 31, .pattern_id = 1, .name = "new"});
  });
  CHECK(in_words(changes) == "+0 ~0 =1 -0 +1 ~0 =1 -1 ");
  CHECK(exported(url) ==
        "id,name\n1,ALPHA\n2,BETA\n3,EMPTY\n\nid,pattern_id,name\n20,2,d2\n30,1,d0\n"
        "31,1,new\n40,2,d1\n");
}

TEST_CASE("a mirrored pattern may have another id or another name than in the store") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(4);
  SECTION("made anew at the source") {
    auto const changes = mirrored(url, {.patterns = {"ALPHA"}}, [](RowSpool& rows) {
      rows.add({.id = 7, .name = "ALPHA"});
      rows.add({.id = 10, .pattern_id = 7, .name = "d1"});
    });
    CHECK(in_words(changes) == "+1 ~0 =0 -1 +0 ~1 =0 -1 ");
    CHECK(exported(url) == "id,name\n2,BETA\n3,EMPTY\n7,ALPHA\n\nid,pattern_id,name\n10,7,d1\n20,2,d2\n40,2,d1\n");
  }
  SECTION("renamed at the source") {
    auto const changes = mirrored(url, {.patterns = {"GAMMA"}}, [](RowSpool& rows) {
      rows.add({.id = 1, .name = "GAMMA"});
      rows.add({.id = 10, .pattern_id = 1, .name = "d1"});
    });
    CHECK(in_words(changes) == "+0 ~1 =0 -0 +0 ~0 =1 -1 ");
    CHECK(exported(url) == "id,name\n1,GAMMA\n2,BETA\n3,EMPTY\n\nid,pattern_id,name\n10,1,d1\n20,2,d2\n40,2,d1\n");
  }
  SECTION("two have swapped their names") {
    mirrored(url, {.patterns = {"ALPHA", "BETA"}}, [](RowSpool& rows) {
      rows.add({.id = 2, .name = "ALPHA"});
      rows.add({.id = 20, .pattern_id = 2, .name = "d2"});
      rows.add({.id = 1, .name = "BETA"});
      rows.add({.id = 10, .pattern_id = 1, .name = "d1"});
    });
    CHECK(exported(url) == "id,name\n1,BETA\n2,ALPHA\n3,EMPTY\n\nid,pattern_id,name\n10,1,d1\n20,2,d2\n");
  }
}

TEST_CASE("a mirrored pattern without a row keeps its id and loses its deployments") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(4);
  auto const changes = mirrored(url, {.patterns = {"ALPHA", "O'NEW"}}, [](RowSpool&) {});
  CHECK(in_words(changes) == "+0 ~0 =0 -0 +0 ~0 =0 -2 ");
  CHECK(exported(url) == "id,name\n1,ALPHA\n2,BETA\n3,EMPTY\n\nid,pattern_id,name\n20,2,d2\n40,2,d1\n");
}

TEST_CASE("rows that contradict each other change nothing") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  under_test.fill(2);
  auto const before = exported(url);
  CHECK(refusal_of(url, {}, [](RowSpool& rows) {
          rows.add({.id = 1, .name = "A"});
          rows.add({.id = 5, .pattern_id = 1, .name = "x"});
          rows.add({.id = 6, .pattern_id = 1, .name = "x"});
          rows.add({.id = 5, .pattern_id = 1, .name = "x"});
        }) == "a second deployment with the id 5");
  CHECK(refusal_of(url, {}, [](RowSpool& rows) {
          rows.add({.id = 1, .name = "A"});
          rows.add({.id = 1, .name = "A"});
        }) == "a second pattern with the id 1");
  CHECK(refusal_of(url, {}, [](RowSpool& rows) {
          rows.add({.id = 1, .name = "A"});
          rows.add({.id = 2, .name = "A"});
        }) == R"(pattern 2: the name "A" is taken by pattern 1)");
  CHECK(refusal_of(url, {}, [](RowSpool& rows) {
          rows.add({.id = 4, .name = "A"});
          rows.add({.id = 5, .pattern_id = 1, .name = "x"});
        }) == "deployment 5: there is no pattern 1");
  CHECK(exported(url) == before);
}

TEST_CASE("a second row is found among many, and far behind the first") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  auto const fill = [](std::int64_t last, bool descending) {
    return [=](RowSpool& rows) {
      rows.add({.id = 1, .name = "A"});
      constexpr std::int64_t count = 210'000;
      for (std::int64_t i = 1; i <= count; ++i)
        rows.add({.id = descending ? count + 1 - i : i, .pattern_id = 1, .name = "x"});
      rows.add({.id = last, .pattern_id = 1, .name = "x"});
    };
  };
  CHECK(refusal_of(url, {}, fill(3, false)) == "a second deployment with the id 3");
  CHECK(refusal_of(url, {}, fill(210'000, true)) == "a second deployment with the id 210000");
  CHECK(mirrored(url, {}, fill(0, true)).deployments.added == 210'001);
}

TEST_CASE("rows behind a mark are dropped, and the others passed on") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("new.db")};
  RowSpool rows;
  rows.add({.id = 1, .name = "A"});
  auto const mark = rows.mark();
  rows.add({.id = 2, .name = std::string(100'000, 'x')});
  rows.cut(mark);
  rows.add({.id = 3, .name = "C"});
  for (int round = 0; round < 2; ++round) mirror(url, {}, rows, {});
  CHECK(exported(url).starts_with("id,name\n1,A\n3,C\n\nid,pattern_id"));
}

}  // namespace
}  // namespace deployd::storage
