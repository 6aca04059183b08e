#include <catch2/catch_test_macros.hpp>

#include <random>
#include <set>
#include <string>

#include "storage/session/session.hpp"
#include "storage/session/sqlite_statement.hpp"
#include "storage/sqlite/wal_index.hpp"
#include "tests/storage/store_under_test.hpp"

namespace deployd::storage {
namespace {

/// A session that has read, as `SqliteWalIndex::of` requires.
struct Reader {
  explicit Reader(DatabaseUrl const& url) : session(open_session(url, Access::read)) { read(); }

  void read() const {
    long long count = 0;
    *session << "SELECT count(*) FROM patterns", soci::into(count);
  }
  std::optional<SqliteWalIndex> index() const { return SqliteWalIndex::of(*session); }

  std::unique_ptr<soci::session> session;
};

}  // namespace

TEST_CASE("the header of the WAL index stays while nobody commits") {
  StoreUnderTest under_test(Kind::sqlite);
  under_test.fill(10);
  Reader const reader(under_test.options.url);
  auto const index = reader.index();
  REQUIRE(index.has_value());
  auto const before = index->header();

  reader.read();
  Reader const another(under_test.options.url);

  CHECK(index->header() == before);
}

TEST_CASE("every commit gives the WAL index a header that it never had before") {
  StoreUnderTest under_test(Kind::sqlite);
  under_test.fill(10);
  Reader const reader(under_test.options.url);
  auto const index = reader.index();
  REQUIRE(index.has_value());
  auto const writer = open_session(under_test.options.url, Access::write);
  std::set<SqliteWalIndex::Header> seen{index->header()};
  std::minstd_rand random(1);  // the same in every run
  char const* const checkpoints[] = {"PASSIVE", "FULL", "RESTART", "TRUNCATE"};

  for (int commit = 0; commit < 2000; ++commit) {
    CAPTURE(commit);
    // The same few contents again and again: it is not they that make headers differ.
    *writer << "UPDATE patterns SET name = 'name " << commit % 2 << "' WHERE id = 1";
    REQUIRE(seen.insert(index->header()).second);
    if (random() % 8 == 0) *writer << "PRAGMA wal_checkpoint(" << checkpoints[random() % 4] << ")";
    if (random() % 32 == 0) *writer << "VACUUM";
    seen.insert(index->header());
    if (random() % 2 == 0) reader.read();
  }
}

TEST_CASE("a database that is not in WAL mode has no WAL index") {
  StoreUnderTest under_test(Kind::sqlite);
  under_test.fill(10);
  under_test.write("PRAGMA journal_mode = DELETE");
  auto const session = open_session(under_test.options.url, Access::read);
  long long count = 0;
  *session << "SELECT count(*) FROM patterns", soci::into(count);

  CHECK_FALSE(SqliteWalIndex::of(*session).has_value());
}

TEST_CASE("commits to a database that is not in WAL mode are noticed all the same") {
  StoreUnderTest under_test(Kind::sqlite);
  under_test.fill(10);
  under_test.write("PRAGMA journal_mode = DELETE");
  auto const before = under_test.store().data_version();
  REQUIRE(before.has_value());
  auto const writer = open_session(under_test.options.url, Access::write);

  *writer << "UPDATE patterns SET name = 'other' WHERE id = 1";

  CHECK(under_test.store().data_version() != before);
}

}  // namespace deployd::storage
