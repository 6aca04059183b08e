// What is prepared in a session of PostgreSQL when it is opened.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/endian/buffers.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "storage/postgresql/opening.hpp"
#include "storage/schema/schema.hpp"
#include "storage/session/session.hpp"
#include "tests/postgresql_server.hpp"
#include "tests/storage/store_under_test.hpp"

namespace deployd::storage {
namespace {

using namespace std::chrono_literals;
using Clock = OpenedPostgresql::Clock;
using Texts = std::vector<std::string>;

/// A database with deployd's tables and those of another program.
struct Prepared {
  explicit Prepared(Relations const& relations = {}, bool own_tables = true)
      : url(std::get<PostgresqlUrl>(*parse_database_url(postgresql_server().create_database()))),
        queries(relation_names(relations), own_tables) {
    migrate(url, {});
    auto const session = open_session(url, Access::write);
    *session << R"(CREATE TABLE "their: patterns" (id bigint, name text))";
    *session << "CREATE TABLE their_deployments (id bigint, pattern_id bigint, name text)";
  }

  OpenedPostgresql open(SessionUse use, bool prepare = true) const {
    return open_postgresql({PostgresqlHosts(url), prepare, 1s, primary, queries}, use);
  }

  PostgresqlUrl url;
  PostgresqlQueries queries;
  PrimaryWatch primary;
};

/// Accepts one connection, answers its first `answers` messages as a PostgreSQL server would, and freezes.
class FreezingServer {
 public:
  explicit FreezingServer(int answers)
      : thread_([this, answers](std::stop_token const& stop) { serve(answers, stop); }) {}

  PostgresqlUrl url() const {
    auto const port = std::to_string(acceptor_.local_endpoint().port());
    return std::get<PostgresqlUrl>(
        *parse_database_url("postgresql://user@127.0.0.1:" + port + "/store?sslmode=disable&gssencmode=disable"));
  }

 private:
  using tcp = boost::asio::ip::tcp;

  static std::uint32_t read_length(tcp::socket& client) {
    boost::endian::big_uint32_buf_t length;
    boost::asio::read(client, boost::asio::buffer(&length, sizeof length));
    return length.value() - static_cast<std::uint32_t>(sizeof length);
  }
  static void skip(tcp::socket& client, std::uint32_t length) {
    std::string rest(length, '\0');
    boost::asio::read(client, boost::asio::buffer(rest));
  }

  void serve(int answers, std::stop_token const& stop) {
    using namespace std::string_literals;
    auto const ready = "Z\0\0\0\5I"s;
    auto client = acceptor_.accept();
    skip(client, read_length(client));
    boost::asio::write(client, boost::asio::buffer("R\0\0\0\10\0\0\0\0"s + ready));
    while (answers > 0) {
      char type = 0;
      boost::asio::read(client, boost::asio::buffer(&type, 1));
      skip(client, read_length(client));
      auto const answer = type == 'Q' ? "C\0\0\0\10SET\0"s + ready : type == 'P' ? "1\0\0\0\4"s : ready;
      boost::asio::write(client, boost::asio::buffer(answer));
      --answers;
    }
    std::unique_lock lock(mutex_);
    ended_.wait(lock, stop, [] { return false; });
  }

  boost::asio::io_context context_;
  tcp::acceptor acceptor_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread thread_;
};

Texts declared(PostgresqlQueries const& queries) {
  Texts texts;
  for (auto const& statement : queries.prepared()) texts.push_back(statement.sql);
  return texts;
}

/// What the server has under the names of the session, in their order.
Texts prepared(OpenedPostgresql& opened) {
  Texts texts;
  for (auto const& name : opened.prepared) {
    std::string text;
    *opened.session << "SELECT statement FROM pg_prepared_statements WHERE NOT from_sql AND name = :name",
        soci::use(name), soci::into(text);
    texts.push_back(text);
  }
  return texts;
}

int count_prepared(soci::session& session) {
  int count = 0;
  session << "SELECT count(*) FROM pg_prepared_statements", soci::into(count);
  return count;
}

}  // namespace

TEST_CASE("SOCI prepares every statement that serves requests when a session is opened, as it is declared") {
  Prepared const store;
  auto opened = store.open(SessionUse::queries);
  CHECK(prepared(opened) == declared(store.queries));
  CHECK(opened.prepared.size() == 24);
  CHECK(count_prepared(*opened.session) == 24);
}

TEST_CASE("with relations of another program lists of sound rows are prepared too, and tokens only if there are any") {
  bool const own_tables = GENERATE(false, true);
  Prepared const store({.patterns = R"("their: patterns")", .deployments = "their_deployments"}, own_tables);
  auto opened = store.open(SessionUse::queries);
  CHECK(prepared(opened) == declared(store.queries));
  CHECK(opened.prepared.size() == (own_tables ? 44 : 43));
  CHECK(opened.replace_at == Clock::time_point::max());
}

TEST_CASE("nothing is prepared for a cursor or behind a pooler") {
  Prepared const store;
  CHECK(count_prepared(*store.open(SessionUse::cursor).session) == 0);
  CHECK(count_prepared(*store.open(SessionUse::queries, false).session) == 0);
}

TEST_CASE("a session is opened while a table is locked, without what cannot be prepared and not for long") {
  Prepared const store;
  auto const other = open_session(store.url, Access::write);
  soci::transaction const transaction(*other);
  *other << "LOCK TABLE deployd.patterns IN ACCESS EXCLUSIVE MODE";
  auto const asked = Clock::now();
  auto const opened = store.open(SessionUse::queries);
  CHECK(opened.prepared.size() == 2);
  CHECK(Clock::now() - asked < 900ms);
  CHECK(opened.replace_at < Clock::now() + 10s);
}

TEST_CASE("a server that freezes while a session is opened is not waited for longer than the timeout") {
  auto const answers =
      GENERATE(1, 2, 3, 4, 5, 22);  // SOCI's setting, the encoding, two timeouts, two for each statement
  CAPTURE(answers);
  FreezingServer const server(answers);
  PostgresqlQueries const queries(relation_names({}), true);
  PrimaryWatch const primary;
  auto const asked = Clock::now();
  try {
    open_postgresql({PostgresqlHosts(server.url()), true, 1s, primary, queries}, SessionUse::queries);
    FAIL("opened");
  } catch (Error const& failure) {
    CAPTURE(failure.what());
    bool const connected = answers > 1;  // otherwise there is another attempt, whose failure is reported
    CHECK(std::string(failure.what()).ends_with("/store: no answer in time") == connected);
  }
  CHECK(Clock::now() - asked < 5s);
}

}  // namespace deployd::storage
