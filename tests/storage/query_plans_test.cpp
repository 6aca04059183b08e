// Every list is a range of an index, read in the order in which it is given.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <soci/soci.h>

#include "storage/postgresql/queries.hpp"
#include "storage/relation_name.hpp"
#include "storage/session/session.hpp"
#include "storage/sqlite/queries.hpp"
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

/// The plan that SQLite has for the statement of a range.
std::string plan(StoreUnderTest const& under_test, RowRange const& range, bool only_ids) {
  auto const session = open_session(under_test.options.url, Access::read);
  SqliteStatement steps(*session, "EXPLAIN QUERY PLAN " + range_sql(range, only_ids));
  std::string text;
  while (steps.next()) text.append(steps.text(4)).append("\n");
  return text;
}

}  // namespace

TEST_CASE("each combination of filters is one range of one index of SQLite, without sorting") {
  StoreUnderTest under_test(Kind::sqlite);
  under_test.fill(100);
  auto const [range, expected] = GENERATE(Case{{.pattern_id = std::nullopt, .name = std::nullopt}, by_id},
                                          Case{{.pattern_id = 1, .name = std::nullopt}, by_pattern},
                                          Case{{.pattern_id = std::nullopt, .name = "d1"}, by_name},
                                          Case{{.pattern_id = 1, .name = "d1"}, by_pattern_and_name});

  CHECK(plan(under_test, range, false) == expected);
}

TEST_CASE("the ids of a range of SQLite are found in an index alone") {
  StoreUnderTest under_test(Kind::sqlite);
  under_test.fill(100);

  CHECK(plan(under_test, {.pattern_id = 1, .name = std::nullopt}, true) == by_pattern);
  CHECK(plan(under_test, {.pattern_id = std::nullopt, .name = "d1"}, true) == by_name);
}

namespace {

/// The plan that PostgreSQL has for a prepared statement whatever its parameters are, without the numbers.
std::string plan(soci::session& sql, PostgresqlStatement const& statement, std::string const& values) {
  sql << "SET plan_cache_mode = force_generic_plan";
  sql << "PREPARE asked AS " + statement.sql;
  soci::rowset<std::string> const lines = (sql.prepare << "EXPLAIN (COSTS off) EXECUTE asked(" + values + ")");
  std::string text;
  for (auto const& line : lines) text += line + "\n";
  return text;
}

struct PostgresqlCase {
  Filter filter;
  std::string values;  // limit and offset, then the filters in the order of the statement
  std::string index;
  std::string condition;
};

}  // namespace

TEST_CASE("each combination of filters is one range of one index of PostgreSQL, without sorting") {
  StoreUnderTest under_test(Kind::postgresql);
  under_test.fill(20'000);
  under_test.write("ANALYZE deployments");
  PostgresqlQueries const queries(relation_names({}), true);
  auto const asked = GENERATE(
      PostgresqlCase{{}, "100, 0", "deployments_pkey", ""},
      PostgresqlCase{{.id_greater_than = 1}, "100, 0, 1", "deployments_pkey", "(id > $3)"},
      PostgresqlCase{{.pattern_id = 1},
                     "100, 0, 1",
                     "deployments_by_pattern",
                     "((ROW(pattern_id, id) >= ROW($3, '-9223372036854775808'::bigint)) AND (pattern_id <= $3))"},
      PostgresqlCase{{.pattern = "ALPHA"},
                     "100, 0, 'ALPHA'",
                     "deployments_by_pattern",
                     "((ROW(pattern_id, id) >= ROW(patterns.id, '-9223372036854775808'::bigint)) AND (pattern_id <= "
                     "patterns.id))"},
      PostgresqlCase{{.pattern = "ALPHA", .id_greater_than = 5},
                     "100, 0, 5, 'ALPHA'",
                     "deployments_by_pattern",
                     "((ROW(pattern_id, id) > ROW(patterns.id, $3)) AND (pattern_id <= patterns.id))"},
      PostgresqlCase{{.name = "d1"},
                     "100, 0, 'd1'",
                     "deployments_by_name",
                     "((ROW(name, id) >= ROW($3, '-9223372036854775808'::bigint)) AND (name <= $3))"},
      PostgresqlCase{{.pattern_id = 1, .id_greater_than = 5},
                     "100, 0, 5, 1",
                     "deployments_by_pattern",
                     "((ROW(pattern_id, id) > ROW($4, $3)) AND (pattern_id <= $4))"},
      PostgresqlCase{{.pattern_id = 1, .name = "d1"},
                     "100, 0, 1, 'd1'",
                     "deployments_by_pattern_and_name",
                     "((ROW(pattern_id, name, id) >= ROW($3, $4, '-9223372036854775808'::bigint)) AND "
                     "(ROW(pattern_id, name) <= ROW($3, $4)))"},
      PostgresqlCase{{.pattern_id = 1, .name = "d1", .id_greater_than = 5},
                     "100, 0, 5, 1, 'd1'",
                     "deployments_by_pattern_and_name",
                     "((ROW(pattern_id, name, id) > ROW($4, $5, $3)) AND (ROW(pattern_id, name) <= ROW($4, $5)))"});
  auto const session = open_session(under_test.options.url, Access::read);

  auto const found = plan(*session, queries.list(asked.filter), asked.values);

  CAPTURE(found);
  CHECK(found.find("using " + asked.index + " on deployments") != found.npos);
  if (!asked.condition.empty()) CHECK(found.find("Index Cond: " + asked.condition) != found.npos);
  CHECK(found.find("Filter") == found.npos);
  CHECK(found.find("Seq Scan on deployments") == found.npos);
}

}  // namespace deployd::storage
