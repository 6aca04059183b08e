// What every store answers, whatever it keeps its data in.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "storage/error.hpp"
#include "tests/storage/collected_rows.hpp"
#include "tests/storage/store_under_test.hpp"

namespace deployd::storage {
namespace {

using Rows = std::vector<Row>;

constexpr CursorUse stream{.token = 1};

Kind either_kind() {
  return GENERATE(Kind::sqlite, Kind::postgresql);
}

TEST_CASE("a deployment is found by its id, and no other id finds one") {
  StoreUnderTest under_test(either_kind());
  under_test.fill(3);
  CollectedRows found;
  CHECK(under_test.ask(under_test.store().deployment(20, found)).value());
  CHECK(found.rows == Rows{{20, 2, "d2"}});
  CollectedRows none;
  for (std::int64_t const id : {INT64_MIN, std::int64_t{0}, std::int64_t{21}, INT64_MAX})
    CHECK_FALSE(under_test.ask(under_test.store().deployment(id, none)).value());
  CHECK(none.rows.empty());
}

struct ListCase {
  char const* what;
  Filter filter;
  std::size_t max_rows;
  Listing want;
  Rows rows;  // when complete
};

constexpr Listing all{true, true, false};

std::vector<ListCase> list_cases() {
  return {
      {"nothing asked", {}, 9, all, {{10, 1, "d1"}, {20, 2, "d2"}, {30, 1, "d0"}, {40, 2, "d1"}, {50, 1, "d2"}}},
      {"exactly as many as fit",
       {},
       5,
       all,
       {{10, 1, "d1"}, {20, 2, "d2"}, {30, 1, "d0"}, {40, 2, "d1"}, {50, 1, "d2"}}},
      {"one more than fits", {}, 4, {true, false, false}, {}},
      {"pattern", {.pattern = "ALPHA"}, 9, all, {{10, 1, "d1"}, {30, 1, "d0"}, {50, 1, "d2"}}},
      {"pattern without deployments", {.pattern = "EMPTY"}, 9, all, {}},
      {"no such pattern", {.pattern = "alpha"}, 9, {false, true, false}, {}},
      {"empty pattern", {.pattern = ""}, 9, {false, true, false}, {}},
      {"pattern with a NUL", {.pattern = std::string("ALPHA\0", 6)}, 9, {false, true, false}, {}},
      {"pattern id", {.pattern_id = 2}, 9, all, {{20, 2, "d2"}, {40, 2, "d1"}}},
      {"pattern id of none", {.pattern_id = 77}, 9, all, {}},
      {"name", {.name = "d1"}, 9, all, {{10, 1, "d1"}, {40, 2, "d1"}}},
      {"name of none", {.name = "d%"}, 9, all, {}},
      {"name with a NUL", {.name = std::string("d1\0", 3)}, 9, all, {}},
      {"id", {.id_greater_than = 30}, 9, all, {{40, 2, "d1"}, {50, 1, "d2"}}},
      {"least id", {.id_greater_than = INT64_MIN, .limit = 1}, 9, {true, true, true}, {{10, 1, "d1"}}},
      {"greatest id", {.id_greater_than = INT64_MAX}, 9, all, {}},
      {"pattern and its id", {.pattern = "BETA", .pattern_id = 2}, 9, all, {{20, 2, "d2"}, {40, 2, "d1"}}},
      {"pattern and another's id", {.pattern = "BETA", .pattern_id = 1}, 9, all, {}},
      {"no pattern, but an id", {.pattern = "X", .pattern_id = 1}, 9, {false, true, false}, {}},
      {"pattern and name", {.pattern = "ALPHA", .name = "d0"}, 9, all, {{30, 1, "d0"}}},
      {"pattern id and name", {.pattern_id = 2, .name = "d1"}, 9, all, {{40, 2, "d1"}}},
      {"pattern and id", {.pattern = "ALPHA", .id_greater_than = 10}, 9, all, {{30, 1, "d0"}, {50, 1, "d2"}}},
      {"pattern id and id", {.pattern_id = 1, .id_greater_than = 30}, 9, all, {{50, 1, "d2"}}},
      {"name and id", {.name = "d1", .id_greater_than = 10}, 9, all, {{40, 2, "d1"}}},
      {"everything",
       {.pattern = "ALPHA", .pattern_id = 1, .name = "d2", .id_greater_than = 10},
       9,
       all,
       {{50, 1, "d2"}}},
      {"limit with more behind it", {.limit = 2}, 9, {true, true, true}, {{10, 1, "d1"}, {20, 2, "d2"}}},
      {"limit without more", {.pattern_id = 2, .limit = 2}, 9, all, {{20, 2, "d2"}, {40, 2, "d1"}}},
      {"limit of all that fits",
       {.limit = 4},
       4,
       {true, true, true},
       {{10, 1, "d1"}, {20, 2, "d2"}, {30, 1, "d0"}, {40, 2, "d1"}}},
      {"limit past what fits, and more rows", {.limit = 5}, 4, {true, false, false}, {}},
      {"limit past what fits, and no more rows", {.pattern_id = 2, .limit = 5}, 4, all, {{20, 2, "d2"}, {40, 2, "d1"}}},
      {"limit of the largest number", {.pattern_id = 2, .limit = UINT64_MAX}, 9, all, {{20, 2, "d2"}, {40, 2, "d1"}}},
      {"limit 0", {.limit = 0}, 9, {true, true, true}, {}},
      {"limit 0 of a pattern", {.pattern = "EMPTY", .limit = 0}, 9, all, {}},
      {"limit 0 of no pattern", {.pattern = "X", .limit = 0}, 9, {false, true, false}, {}},
      {"skip", {.skip = 3}, 9, all, {{40, 2, "d1"}, {50, 1, "d2"}}},
      {"skip and limit", {.limit = 1, .skip = 3}, 9, {true, true, true}, {{40, 2, "d1"}}},
      {"skip all", {.skip = 5}, 9, all, {}},
      {"skip more than all", {.pattern = "EMPTY", .skip = 7}, 9, all, {}},
      {"skip far", {.skip = UINT64_MAX}, 9, {true, false, false}, {}},
      {"skip far in no pattern", {.pattern = "X", .skip = UINT64_MAX}, 9, {false, true, false}, {}},
  };
}

TEST_CASE("a list holds what its filter says, in order of id, and tells whether it is whole") {
  StoreUnderTest under_test(either_kind());
  under_test.fill(5);
  for (auto const& [what, filter, max_rows, want, rows] : list_cases()) {
    CAPTURE(what);
    CollectedRows got;
    auto const listing = under_test.ask(under_test.store().list(filter, max_rows, got)).value();
    CHECK(listing.pattern_known == want.pattern_known);
    CHECK(listing.complete == want.complete);
    if (!want.complete) continue;
    CHECK(listing.more == want.more);
    CHECK(got.rows == rows);
  }
}

/// All rows of a cursor in steps of `step`.
Rows read_all(StoreUnderTest& under_test, Cursor& cursor, std::size_t step) {
  CollectedRows got;
  while (under_test.ask(cursor.read(step, got)).value()) {
  }
  return got.rows;
}

TEST_CASE("a list of patterns holds what its filter says, and a cursor gives the same rows") {
  StoreUnderTest under_test(either_kind());
  under_test.fill(1);
  auto& store = under_test.store();
  Row const alpha{1, 1, "ALPHA"};
  Row const beta{2, 2, "BETA"};
  Row const empty{3, 3, "EMPTY"};
  struct Case {
    char const* what;
    Filter filter;
    bool more;
    Rows rows;
  };
  std::vector<Case> const cases{
      {"nothing asked", {}, false, {alpha, beta, empty}},
      {"name", {.name = "BETA"}, false, {beta}},
      {"name of none", {.name = "beta"}, false, {}},
      {"id", {.id_greater_than = 1}, false, {beta, empty}},
      {"name and id", {.name = "BETA", .id_greater_than = 2}, false, {}},
      {"limit", {.limit = 2}, true, {alpha, beta}},
      {"skip and limit", {.limit = 1, .skip = 1}, true, {beta}},
      {"skip to the end", {.skip = 2}, false, {empty}},
  };
  for (auto asked : cases) {
    CAPTURE(asked.what);
    asked.filter.table = Table::patterns;
    CollectedRows listed;
    auto const listing = under_test.ask(store.list(asked.filter, 9, listed)).value();
    CHECK(listing.complete);
    CHECK(listing.more == asked.more);
    CHECK(listed.rows == asked.rows);
    auto const cursor = under_test.ask(store.open_cursor(asked.filter, stream)).value();
    auto const last = under_test.ask(cursor->last_id_before_more()).value();
    CHECK(last.has_value() == asked.more);
    CollectedRows read;
    while (under_test.ask(cursor->read(1, read)).value()) continue;
    CHECK(read.rows == asked.rows);
  }
}

TEST_CASE("a cursor gives the same rows as a list, whatever its steps") {
  StoreUnderTest under_test(either_kind());
  under_test.fill(5);
  for (auto const& [what, filter, max_rows, want, rows] : list_cases()) {
    CAPTURE(what);
    CollectedRows listed;
    auto const listing = under_test.ask(under_test.store().list(filter, 9, listed)).value();
    for (std::size_t const step : {std::size_t{1}, std::size_t{2}, std::size_t{100}}) {
      auto cursor = under_test.ask(under_test.store().open_cursor(filter, stream)).value();
      CHECK(cursor->pattern_known() == want.pattern_known);
      auto const last = under_test.ask(cursor->last_id_before_more()).value();
      auto const got = read_all(under_test, *cursor, step);
      if (!listing.complete) continue;
      CHECK(got == listed.rows);
      CHECK(last.has_value() == (listing.more && filter.limit > 0));
      if (last && !got.empty()) CHECK(*last == got.back().id);
      CollectedRows behind;
      CHECK_FALSE(under_test.ask(cursor->read(step, behind)).value());
      CHECK(behind.rows.empty());
    }
  }
}

TEST_CASE("a list skips thousands of rows at once, and leaves more of them to a cursor") {
  StoreUnderTest under_test(either_kind());
  under_test.fill(20'000);
  for (auto const& [filter, complete, want] :
       {std::tuple(Filter{.limit = 2, .skip = 1001}, true, Rows{{10'020, 2, "d0"}, {10'030, 1, "d1"}}),
        std::tuple(Filter{.limit = 1, .skip = 8192}, true, Rows{{81'930, 1, "d0"}}),
        std::tuple(Filter{.pattern = "BETA", .limit = 1, .skip = 8192}, true, Rows{{163'860, 2, "d0"}}),
        std::tuple(Filter{.id_greater_than = 190'000, .limit = 1, .skip = 999}, true, Rows{{200'000, 2, "d2"}}),
        std::tuple(Filter{.id_greater_than = 190'000, .skip = 1000}, true, Rows{}),
        std::tuple(Filter{.limit = 1, .skip = 8193}, false, Rows{})}) {
    CAPTURE(filter.skip, filter.id_greater_than.value_or(0));
    CollectedRows got;
    auto const listing = under_test.ask(under_test.store().list(filter, 100, got)).value();
    CHECK(listing.complete == complete);
    CHECK(got.rows == want);
  }
}

TEST_CASE("a cursor finds rows however far down they are") {
  StoreUnderTest under_test(either_kind());
  under_test.fill(20'000);
  auto cursor = under_test.ask(under_test.store().open_cursor({.limit = 2, .skip = 19'000}, stream)).value();
  CHECK(under_test.ask(cursor->last_id_before_more()).value() == 190'020);
  CHECK(read_all(under_test, *cursor, 256) == Rows{{190'010, 1, "d2"}, {190'020, 2, "d0"}});
  cursor.reset();
  cursor = under_test.ask(under_test.store().open_cursor({.limit = 2, .skip = 19'000}, stream)).value();
  CHECK(read_all(under_test, *cursor, 256) == Rows{{190'010, 1, "d2"}, {190'020, 2, "d0"}});
  cursor.reset();
  cursor = under_test.ask(under_test.store().open_cursor({.limit = 2, .skip = 20'000}, stream)).value();
  CHECK_FALSE(under_test.ask(cursor->last_id_before_more()).value());
  CHECK(read_all(under_test, *cursor, 256).empty());
}

TEST_CASE("a cursor reads one snapshot while others write") {
  StoreUnderTest under_test(either_kind());
  under_test.fill(1000);
  auto cursor = under_test.ask(under_test.store().open_cursor({.limit = 1000}, stream)).value();
  under_test.write("DELETE FROM deployments WHERE id > 500");
  CollectedRows got;
  CHECK(under_test.ask(cursor->read(10, got)).value());
  under_test.write("INSERT INTO deployments VALUES (15, 1, 'new'), (99999, 1, 'new')");
  CHECK_FALSE(under_test.ask(cursor->last_id_before_more()).value());
  while (under_test.ask(cursor->read(256, got)).value()) {
  }
  CHECK(got.rows.size() == 1000);
}

TEST_CASE("a cursor left in the middle holds nothing back: what is written then is read next") {
  StoreUnderTest under_test(either_kind());
  under_test.fill(1000);
  auto& store = under_test.store();
  REQUIRE(under_test.wait_for_new_version(std::nullopt, std::chrono::seconds(10)));
  for (int round = 0; round < 3; ++round) {
    auto cursor = under_test.ask(store.open_cursor({}, stream)).value();
    CollectedRows some;
    CHECK(under_test.ask(cursor->read(10, some)).value());
    cursor.reset();
    auto const before = store.data_version();
    auto const id = std::to_string(50'000 + round);
    under_test.write("INSERT INTO deployments VALUES (" + id + ", 3, 'x')");
    CHECK(under_test.wait_for_new_version(before, std::chrono::seconds(1)));
    auto again = under_test.ask(store.open_cursor({.pattern = "EMPTY"}, stream)).value();
    CHECK(read_all(under_test, *again, 100).size() == static_cast<std::size_t>(round + 1));
  }
}

/// As many cursors as `use` is given.
std::vector<std::unique_ptr<Cursor>> open_all(StoreUnderTest& under_test, CursorUse use) {
  std::vector<std::unique_ptr<Cursor>> cursors;
  while (true) {
    auto opened = under_test.ask(under_test.store().open_cursor({}, use));
    if (!opened) {
      CHECK(opened.error() == errc::overloaded);
      return cursors;
    }
    cursors.push_back(std::move(*opened));
    REQUIRE(cursors.size() < 100);
  }
}

TEST_CASE("cursors are bounded, half of them for a token, and a place is free again when one is gone") {
  StoreUnderTest under_test(either_kind());
  under_test.options.sessions = 8;
  under_test.options.timeout = std::chrono::milliseconds(500);
  under_test.fill(10);
  auto cursors = open_all(under_test, stream);
  CHECK(cursors.size() == 2);
  CHECK(open_all(under_test, {.token = 2}).size() == 2);
  cursors.pop_back();
  CHECK(under_test.ask(under_test.store().open_cursor({}, stream)).has_value());
}

TEST_CASE("whatever streams there are, a list that is not streamed has places of its own") {
  StoreUnderTest under_test(either_kind());
  under_test.options.sessions = 1;
  under_test.options.timeout = std::chrono::milliseconds(500);
  under_test.fill(10);
  auto const ours = open_all(under_test, stream);
  auto const theirs = open_all(under_test, {.token = 2});
  CHECK(ours.size() == theirs.size());
  for (std::uint64_t const token : {1U, 3U}) {
    auto page = under_test.ask(under_test.store().open_cursor({.limit = 2, .skip = 7}, {token, false})).value();
    CHECK(read_all(under_test, *page, 9) == Rows{{80, 2, "d2"}, {90, 1, "d0"}});
  }
}

/// The SQL for a hash of 32 times the same byte.
std::string hash_literal(StoreUnderTest const& under_test, char const* byte) {
  std::string digits;
  for (int i = 0; i < 32; ++i) digits += byte;
  return std::holds_alternative<SqliteUrl>(under_test.options.url) ? "x'" + digits + "'" : "'\\x" + digits + "'";
}

TEST_CASE("the data version changes with every commit of another, and answers are fresh") {
  StoreUnderTest under_test(either_kind());
  under_test.fill(4);
  auto& store = under_test.store();
  REQUIRE(under_test.wait_for_new_version(std::nullopt, std::chrono::seconds(10)));
  for (std::string const& change :
       {std::string("INSERT INTO patterns VALUES (4, 'NEW')"),
        std::string("UPDATE deployments SET name = 'other' WHERE id = 20"),
        std::string("DELETE FROM deployments WHERE id = 10"),
        "INSERT INTO api_tokens (name, hash, created) VALUES ('n', " + hash_literal(under_test, "01") + ", 1)",
        std::string("UPDATE api_tokens SET revoked = 2")}) {
    CAPTURE(change);
    auto const before = store.data_version();
    CollectedRows ignored;
    CHECK(under_test.ask(store.list({.pattern = "ALPHA"}, 2, ignored)).has_value());
    under_test.write(change);
    CHECK(under_test.wait_for_new_version(before, std::chrono::seconds(1)));
  }
  CollectedRows got;
  CHECK(under_test.ask(store.list({}, 9, got)).value().complete);
  CHECK(got.rows == Rows{{20, 2, "other"}, {30, 1, "d0"}, {40, 2, "d1"}});
}

TEST_CASE("an API token is found by its hash, with what makes it invalid") {
  StoreUnderTest under_test(either_kind());
  auto const hash_of = [](unsigned char fill) {
    Sha256 hash;
    hash.fill(fill);
    return hash;
  };
  CHECK_FALSE(under_test.database().has_api_tokens());
  under_test.write("INSERT INTO api_tokens (name, hash, created, expires, revoked) VALUES ('revoked', " +
                   hash_literal(under_test, "02") + ", 1, NULL, 5), ('expired', " + hash_literal(under_test, "03") +
                   ", 1, 1000, NULL)");
  CHECK_FALSE(under_test.database().has_api_tokens());
  under_test.write("INSERT INTO api_tokens (name, hash, created) VALUES ('good', " + hash_literal(under_test, "00") +
                   ", 1)");
  CHECK(under_test.database().has_api_tokens());

  auto const good = under_test.ask(under_test.store().api_token(hash_of(0))).value();
  REQUIRE(good);
  CHECK(good->name == "good");
  CHECK_FALSE(good->expires);
  CHECK_FALSE(good->revoked);
  CHECK(under_test.ask(under_test.store().api_token(hash_of(2))).value()->revoked);
  auto const expired = under_test.ask(under_test.store().api_token(hash_of(3))).value();
  CHECK(expired->expires == std::chrono::sys_seconds(std::chrono::seconds(1000)));
  CHECK_FALSE(under_test.ask(under_test.store().api_token(hash_of(4))).value());
}

TEST_CASE("a store answers a ping") {
  StoreUnderTest under_test(either_kind());
  CHECK(under_test.ask(under_test.store().ping()).value());
}

}  // namespace
}  // namespace deployd::storage
