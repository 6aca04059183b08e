// Making, listing and revoking tokens in every store.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <chrono>
#include <string>

#include "storage/error.hpp"
#include "storage/session/session.hpp"
#include "storage/tokens/token_admin.hpp"
#include "tests/storage/store_under_test.hpp"

namespace deployd::storage {
namespace {

using std::chrono::sys_seconds;

Kind every_kind() {
  return GENERATE(Kind::sqlite, Kind::postgresql);
}

Sha256 hash_of(unsigned char fill) {
  Sha256 hash;
  hash.fill(fill);
  return hash;
}

sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

errc refusal_of(auto const& call) {
  try {
    call();
  } catch (Error const& error) {
    return error.code();
  }
  FAIL("nothing was refused");
  return errc{};
}

TEST_CASE("a token is kept by its hash, listed by its id, and revoked once") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  CHECK(list_tokens(url, {}).empty());
  auto const begin = now();
  sys_seconds const far(std::chrono::seconds(9'000'000'000));
  auto const first = add_token(url, {}, "first: \"quoted\" 'and' \xC3\xBC", hash_of(0xAB), std::nullopt);
  auto const second = add_token(url, {}, "", hash_of(0x00), far);
  CHECK(first < second);

  auto tokens = list_tokens(url, {});
  REQUIRE(tokens.size() == 2);
  CHECK(tokens[0].id == first);
  CHECK(tokens[0].name == "first: \"quoted\" 'and' \xC3\xBC");
  CHECK(tokens[0].created >= begin);
  CHECK(tokens[0].created <= now());
  CHECK_FALSE(tokens[0].expires);
  CHECK_FALSE(tokens[0].last_used);
  CHECK_FALSE(tokens[0].revoked);
  CHECK(tokens[1].name.empty());
  CHECK(tokens[1].expires == far);

  CHECK(revoke_token(url, {}, first));
  tokens = list_tokens(url, {});
  REQUIRE(tokens[0].revoked);
  CHECK(*tokens[0].revoked >= begin);
  CHECK_FALSE(tokens[1].revoked);

  under_test.write("UPDATE api_tokens SET revoked = 1000, last_used = 2000 WHERE id = " + std::to_string(first));
  CHECK(revoke_token(url, {}, first));
  tokens = list_tokens(url, {});
  CHECK(tokens[0].revoked == sys_seconds(std::chrono::seconds(1000)));
  CHECK(tokens[0].last_used == sys_seconds(std::chrono::seconds(2000)));

  CHECK_FALSE(revoke_token(url, {}, second + 1));
}

TEST_CASE("a serving store knows a token that was added and revoked meanwhile") {
  StoreUnderTest under_test(Kind::sqlite);
  auto const& url = under_test.options.url;
  auto& store = under_test.store();
  CHECK_FALSE(under_test.ask(store.api_token(hash_of(0xFE))).value());
  auto const id = add_token(url, {}, "n", hash_of(0xFE), std::nullopt);
  CHECK(under_test.ask(store.api_token(hash_of(0xFE))).value()->id == id);
  revoke_token(url, {}, id);
  CHECK(under_test.ask(store.api_token(hash_of(0xFE))).value()->revoked);
}

TEST_CASE("the first token makes the schema; listing and revoking do not") {
  TemporaryDirectory const directory;
  SqliteUrl const url{directory.file("new.db")};
  CHECK(refusal_of([&] { list_tokens(url, {}); }) == errc::missing);
  CHECK(refusal_of([&] { revoke_token(url, {}, 1); }) == errc::missing);
  CHECK(add_token(url, {}, "n", hash_of(1), std::nullopt) == 1);
  CHECK(list_tokens(url, {}).size() == 1);
}

TEST_CASE("ids of tokens are not used again, so that a log names one token") {
  StoreUnderTest under_test(every_kind());
  auto const& url = under_test.options.url;
  auto const first = add_token(url, {}, "n", hash_of(1), std::nullopt);
  under_test.write("DELETE FROM api_tokens");
  CHECK(add_token(url, {}, "n", hash_of(1), std::nullopt) > first);
}

/// A database with relations of another program, and a role that may only read them.
struct ForeignStore {
  explicit ForeignStore(StoreUnderTest& under_test) : url(under_test.options.url) {
    // Roles belong to the server, not to the database.
    role = "reader_of_" + std::get<PostgresqlUrl>(url).parameters.at("dbname");
    auto const session = open_session(url, Access::write);
    *session << "DROP SCHEMA deployd CASCADE";
    *session << "CREATE TABLE sorts (id bigint, name text)";
    *session << "CREATE TABLE things (id bigint, pattern_id bigint, name text)";
    *session << "CREATE ROLE " + role + " LOGIN";
    *session << "GRANT SELECT ON sorts, things TO " + role;
  }

  DatabaseUrl as_reader() const {
    auto reader = std::get<PostgresqlUrl>(url);
    reader.parameters["user"] = role;
    return reader;
  }

  DatabaseUrl url;
  std::string role;
  Relations relations{"sorts", "things"};
};

TEST_CASE("beside other programs' relations tokens are kept in deployd's own schema") {
  StoreUnderTest under_test(Kind::postgresql);
  ForeignStore const foreign(under_test);
  auto const id = add_token(foreign.url, foreign.relations, "n", hash_of(1), std::nullopt);
  CHECK(list_tokens(foreign.url, foreign.relations).size() == 1);
  CHECK(revoke_token(foreign.url, foreign.relations, id));
}

TEST_CASE("where deployd may keep nothing of its own, tokens are refused with the reason") {
  StoreUnderTest under_test(Kind::postgresql);
  ForeignStore const foreign(under_test);
  auto const url = foreign.as_reader();
  CHECK(refusal_of([&] { add_token(url, foreign.relations, "n", hash_of(1), std::nullopt); }) == errc::forbidden);
  CHECK(refusal_of([&] { list_tokens(url, foreign.relations); }) == errc::forbidden);
  CHECK(refusal_of([&] { revoke_token(url, foreign.relations, 1); }) == errc::forbidden);
}

}  // namespace
}  // namespace deployd::storage
