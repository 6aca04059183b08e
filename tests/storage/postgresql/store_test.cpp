// Tests of stores on PostgreSQL only: outages, recovery, hangs, and relations of another program.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

#include "storage/database.hpp"
#include "storage/error.hpp"
#include "storage/schema/schema.hpp"
#include "storage/session/session.hpp"
#include "storage/tokens/token_admin.hpp"
#include "tests/postgresql_server.hpp"
#include "tests/storage/collected_rows.hpp"
#include "tests/storage/store_under_test.hpp"

namespace deployd::storage {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Rows = std::vector<Row>;

/// A store on a server of its own, which a test may crash or freeze.
class OwnServer {
 public:
  explicit OwnServer(std::chrono::milliseconds timeout) {
    options_.url = *parse_database_url(server.create_database() + "?prepare=on");
    options_.timeout = timeout;
    options_.sessions = 2;
    migrate(options_.url, {});
    auto const session = open_session(options_.url, Access::write);
    *session << "INSERT INTO deployd.patterns VALUES (1, 'P')";
    *session << "INSERT INTO deployd.deployments SELECT i, 1, 'd' || i FROM generate_series(1, 5000) AS i";
    database_ = open_database(options_);
    store = database_->store_for(loop.get_executor());
  }
  ~OwnServer() { store.reset(); }

  template <typename T>
  T ask(boost::asio::awaitable<T> question) {
    auto future = boost::asio::co_spawn(loop, std::move(question), boost::asio::use_future);
    loop.restart();
    loop.run();
    return future.get();
  }

  boost::system::result<bool> look_up() {
    CollectedRows row;
    return ask(store->deployment(1, row));
  }

  DatabaseUrl const& url() const { return options_.url; }

  /// True if `condition` becomes true in time.
  template <typename Condition>
  static bool eventually(Condition condition, std::chrono::milliseconds limit = 20s) {
    for (auto const end = Clock::now() + limit; Clock::now() < end; std::this_thread::sleep_for(5ms))
      if (condition()) return true;
    return false;
  }

  tests::PostgresqlServer server;
  boost::asio::io_context loop{1};
  std::unique_ptr<Store> store;

 private:
  DatabaseOptions options_;
  std::unique_ptr<Database> database_;
};

TEST_CASE("a PostgreSQL store that went away is unavailable, and answers again when it is back") {
  OwnServer own(2000ms);
  CHECK(own.look_up().value());
  REQUIRE(OwnServer::eventually([&] { return own.store->data_version().has_value(); }));
  auto const before = own.store->data_version();
  own.server.crash();
  CHECK(own.look_up().error() == errc::unavailable);
  CHECK(own.ask(own.store->ping()).error() == errc::unavailable);
  CHECK(OwnServer::eventually([&] { return !own.store->data_version(); }, 1s));
  own.server.start();
  CHECK(OwnServer::eventually([&] { return own.look_up().has_value(); }));
  CHECK(OwnServer::eventually([&] { return own.store->data_version().has_value(); }));
  CHECK(own.store->data_version() != before);
}

TEST_CASE("a session that died unnoticed is replaced without a failed question") {
  OwnServer own(2000ms);
  CHECK(own.look_up().value());
  own.server.crash();
  own.server.start();
  for (int i = 0; i < 4; ++i) CHECK(own.look_up().has_value());
}

TEST_CASE("a PostgreSQL that hangs is a timeout on time, and answers again when it goes on") {
  OwnServer own(300ms);
  CHECK(own.look_up().value());
  REQUIRE(OwnServer::eventually([&] { return own.store->data_version().has_value(); }));
  own.server.freeze();
  auto const start = Clock::now();
  CHECK(own.look_up().error() == errc::timeout);
  CHECK(Clock::now() - start < 1s);
  CHECK(OwnServer::eventually([&] { return !own.store->data_version(); }, 1s));
  own.server.thaw();
  CHECK(OwnServer::eventually([&] { return own.look_up().has_value(); }));
}

TEST_CASE("a list breaks off when PostgreSQL goes away in the middle") {
  OwnServer own(1000ms);
  auto cursor = own.ask(own.store->open_cursor({}, {.token = 1})).value();
  CollectedRows rows;
  CHECK(own.ask(cursor->read(100, rows)).value());
  own.server.crash();
  boost::system::result<bool> more = true;
  while (more && *more) more = own.ask(cursor->read(100, rows));
  CHECK(more.has_error());
  CHECK(rows.rows.size() < 5000);
}

TEST_CASE("relations of somebody else are read, and their changes seen within a second") {
  StoreUnderTest under_test(Kind::postgresql);
  auto const owner = open_session(under_test.options.url, Access::write);
  *owner << "CREATE SCHEMA meta";
  *owner << "CREATE TABLE meta.p (id int, name varchar)";
  *owner << "CREATE TABLE meta.d (id int, pattern_id int, name varchar)";
  *owner << "CREATE VIEW meta.\"The Patterns\" AS SELECT * FROM meta.p";
  *owner << "INSERT INTO meta.p VALUES (1, 'A')";
  *owner << "INSERT INTO meta.d VALUES (7, 1, 'x'), (8, 1, 'y')";
  under_test.options.relations.patterns = "meta.\"The Patterns\"";
  under_test.options.relations.deployments = "meta.d";
  CollectedRows rows;
  CHECK(under_test.ask(under_test.store().list({.pattern = "A"}, 9, rows)).value().complete);
  CHECK(rows.rows == Rows{{7, 1, "x"}, {8, 1, "y"}});
  auto const version = under_test.store().data_version();
  REQUIRE(version);
  CHECK(under_test.wait_for_new_version(version, 1s));
}

TEST_CASE("without prepared statements every question is answered as well") {
  StoreUnderTest under_test(Kind::postgresql);
  under_test.fill(5);
  std::get<PostgresqlUrl>(under_test.options.url).prepare = false;
  for (int i = 0; i < 3; ++i) {
    CollectedRows rows;
    CHECK(under_test.ask(under_test.store().list({.pattern = "ALPHA", .limit = 1}, 9, rows)).value().more);
    CHECK(rows.rows == Rows{{10, 1, "d1"}});
  }
  auto cursor = under_test.ask(under_test.store().open_cursor({.name = "d1"}, {.token = 1})).value();
  CollectedRows rows;
  while (under_test.ask(cursor->read(1, rows)).value()) {
  }
  CHECK(rows.rows == Rows{{10, 1, "d1"}, {40, 2, "d1"}});
}

/// Looks up all `ids` at once; what came of each, in their order.
std::vector<boost::system::result<bool>> look_up_together(OwnServer& own, std::vector<std::int64_t> const& ids,
                                                          std::vector<CollectedRows>& rows) {
  std::vector<boost::system::result<bool>> answers(ids.size(), make_error_code(errc::timeout));
  rows.resize(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i)
    boost::asio::co_spawn(
        own.loop, own.store->deployment(ids[i], rows[i]),
        [&answers, i](std::exception_ptr, boost::system::result<bool> answer) { answers[i] = answer; });
  own.loop.restart();
  own.loop.run();
  return answers;
}

TEST_CASE("look-ups that are made together each get their own row") {
  OwnServer own(5000ms);
  std::vector<std::int64_t> ids{-1, 5001, 9'223'372'036'854'775'807};
  for (std::int64_t i = 0; i < 200; ++i) ids.push_back(i / 2);
  std::vector<CollectedRows> rows;
  auto const answers = look_up_together(own, ids, rows);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CAPTURE(ids[i]);
    REQUIRE(answers[i].has_value());
    bool const known = ids[i] >= 1 && ids[i] <= 5000;
    CHECK(*answers[i] == known);
    CHECK(rows[i].rows == (known ? Rows{{ids[i], 1, "d" + std::to_string(ids[i])}} : Rows{}));
  }
}

TEST_CASE("no more sessions are opened than are allowed, and none that is not needed") {
  OwnServer own(5000ms);
  auto const sessions = [&] {
    int count = 0;
    *open_session(own.url(), Access::read)
        << "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'deployd' AND "
           "query LIKE '%deployments%' AND pid <> pg_backend_pid()",
        soci::into(count);
    return count;
  };
  CHECK(own.look_up().value());
  CHECK(sessions() == 1);
  std::vector<CollectedRows> rows;
  auto const answers = look_up_together(own, std::vector<std::int64_t>(200, 7), rows);
  CHECK(std::ranges::all_of(answers, [](auto const& answer) { return answer && *answer; }));
  CHECK(sessions() <= 2);  // one, if the first was back before the second had connected
}

TEST_CASE("look-ups whose session is ended are all answered by another") {
  OwnServer own(5000ms);
  std::vector<CollectedRows> rows;
  look_up_together(own, std::vector<std::int64_t>(200, 7), rows);
  *open_session(own.url(), Access::read)
      << "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
  auto const answers = look_up_together(own, std::vector<std::int64_t>(200, 8), rows);
  CHECK(std::ranges::all_of(answers, [](auto const& answer) { return answer && *answer; }));
}

/// The hash of a token that is called `token I` where the store has it.
Sha256 token_hash(std::size_t i) {
  Sha256 hash{};
  hash[0] = static_cast<unsigned char>(i);
  hash[1] = static_cast<unsigned char>(i >> 8);
  return hash;
}

using FoundToken = boost::system::result<std::optional<ApiToken>>;

/// Looks up so many API tokens at once.
std::vector<FoundToken> look_up_tokens(OwnServer& own, std::size_t count) {
  std::vector<FoundToken> answers(count, FoundToken(make_error_code(errc::timeout)));
  std::vector<Sha256> hashes(count);
  for (std::size_t i = 0; i < count; ++i) {
    hashes[i] = token_hash(i);
    boost::asio::co_spawn(own.loop, own.store->api_token(hashes[i]),
                          [&answers, i](std::exception_ptr, FoundToken answer) { answers[i] = std::move(answer); });
  }
  own.loop.restart();
  own.loop.run();
  return answers;
}

std::uint64_t questions_put(OwnServer const& own) {
  auto const reading = own.store->pool_metrics()->waits.read();
  return std::accumulate(reading.counts.begin(), reading.counts.end(), std::uint64_t{0});
}

TEST_CASE("API tokens that are looked up together are asked for in one batch after another, on one session") {
  OwnServer own(5000ms);
  for (std::size_t i = 0; i < 1000; i += 250)
    add_token(own.url(), {}, "token " + std::to_string(i), token_hash(i),
              i == 0 ? std::nullopt : std::optional(std::chrono::sys_seconds(4'000'000'000s)));
  revoke_token(own.url(), {}, 2);
  auto const answers = look_up_tokens(own, 1000);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    CAPTURE(i);
    REQUIRE(answers[i].has_value());
    REQUIRE(answers[i]->has_value() == (i % 250 == 0));
    if (i % 250 != 0) continue;
    auto const& token = **answers[i];
    CHECK(token.id == static_cast<std::int64_t>(i / 250) + 1);
    CHECK(token.name == "token " + std::to_string(i));
    CHECK(token.expires.has_value() == (i != 0));
    CHECK(token.revoked == (i == 250));
  }
  CHECK(questions_put(own) <= 1000 / 128 + 2);
  CHECK(own.store->pool_metrics()->sessions.value() == 1);
}

TEST_CASE("more API tokens than can soon be looked up are refused at once, and the next ones are not") {
  OwnServer own(5000ms);
  auto const answers = look_up_tokens(own, 5000);
  auto const overloaded = [](FoundToken const& answer) { return !answer && answer.error() == errc::overloaded; };
  CHECK(std::ranges::count_if(answers, overloaded) > 1000);
  CHECK(std::ranges::count_if(answers, [](auto const& answer) { return answer.has_value(); }) >= 2048);
  CHECK(look_up_tokens(own, 1).front().has_value());
}

TEST_CASE("API tokens that cannot be looked up fail in time, and the next ones are looked up") {
  OwnServer own(500ms);
  CHECK(look_up_tokens(own, 1).front().has_value());
  own.server.freeze();
  auto const start = Clock::now();
  for (auto const& answer : look_up_tokens(own, 300)) CHECK((!answer && answer.error() == errc::timeout));
  CHECK(Clock::now() - start < 3s);
  own.server.thaw();
  CHECK(OwnServer::eventually([&] { return look_up_tokens(own, 1).front().has_value(); }));
}

TEST_CASE("questions for which there is no room are refused at once") {
  OwnServer own(1000ms);
  own.server.freeze();
  std::vector<std::unique_ptr<CollectedRows>> rows;
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    rows.push_back(std::make_unique<CollectedRows>());
    boost::asio::co_spawn(own.loop, own.store->deployment(1, *rows.back()),
                          [&](std::exception_ptr, boost::system::result<bool> answer) {
                            refused += answer.has_error() && answer.error() == errc::overloaded;
                          });
  }
  own.loop.restart();
  own.loop.run_for(200ms);
  CHECK(refused > 100);
  own.loop.run();
  own.server.thaw();
}

}  // namespace
}  // namespace deployd::storage
