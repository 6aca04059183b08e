// Every list is a range of an index, read in the order in which it is given.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "storage/sqlite_queries.hpp"
#include "tests/storage/store_under_test.hpp"

namespace deployd::storage {
namespace {

struct Case {
  RowRange range;
  std::string plan;
};

std::string const by_id = "SEARCH deployments USING INTEGER PRIMARY KEY (rowid>?)\n";
std::string const by_pattern =
    "SEARCH deployments USING COVERING INDEX deployments_by_pattern (pattern_id=? AND id>?)\n";
std::string const by_name = "SEARCH deployments USING COVERING INDEX deployments_by_name (name=? AND id>?)\n";
std::string const by_pattern_and_name =
    "SEARCH deployments USING COVERING INDEX deployments_by_pattern_and_name (pattern_id=? AND name=? AND rowid>?)\n";

}  // namespace

TEST_CASE("each combination of filters is one range of one index of SQLite, without sorting") {
  StoreUnderTest under_test(Kind::sqlite);
  under_test.fill(100);
  SqliteQueries queries(std::get<SqliteUrl>(under_test.options.url), 1024);
  auto const [range, plan] = GENERATE(Case{{.pattern_id = std::nullopt, .name = std::nullopt}, by_id},
                                      Case{{.pattern_id = 1, .name = std::nullopt}, by_pattern},
                                      Case{{.pattern_id = std::nullopt, .name = "d1"}, by_name},
                                      Case{{.pattern_id = 1, .name = "d1"}, by_pattern_and_name});

  CHECK(queries.explain(range, false) == plan);
}

TEST_CASE("the ids of a range of SQLite are found in an index alone") {
  StoreUnderTest under_test(Kind::sqlite);
  under_test.fill(100);
  SqliteQueries queries(std::get<SqliteUrl>(under_test.options.url), 1024);

  CHECK(queries.explain({.pattern_id = 1, .name = std::nullopt}, true) == by_pattern);
  CHECK(queries.explain({.pattern_id = std::nullopt, .name = "d1"}, true) == by_name);
}

}  // namespace deployd::storage
