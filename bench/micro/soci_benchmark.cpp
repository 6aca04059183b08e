// What SOCI's own exchange of values costs beside executing the statements that it prepared on its native handle.
#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bench/micro/sample_store.hpp"
#include "routing/list_rows.hpp"
#include "storage/postgresql/opening.hpp"
#include "storage/postgresql/session.hpp"
#include "storage/session/session.hpp"
#include "storage/session/sqlite_statement.hpp"
#include "tests/postgresql_server.hpp"

namespace deployd::bench {
namespace {

using boost::asio::awaitable;
using namespace std::chrono_literals;

enum class Question { look_up, list_of_100 };

constexpr std::int64_t pattern = 5;

/// The ids of the sample's deployments, again and again.
class Ids {
 public:
  std::int64_t next() { return 1 + last_++ % (std::int64_t{SampleStore::patterns} * SampleStore::deployments_each); }

 private:
  std::int64_t last_ = 0;
};

void expect_rows(int rows, Question question) {
  if (rows != (question == Question::look_up ? 1 : SampleStore::deployments_each))
    throw std::logic_error("not all rows are found");
}

/// A statement with SOCI's `into` and `use`.
class Exchanged {
 public:
  Exchanged(soci::session& session, std::string const& sql, Question question)
      : statement_(question == Question::look_up
                       ? (session.prepare << sql, soci::use(key_), soci::into(id_), soci::into(pattern_id_),
                          soci::into(name_, name_indicator_))
                       : (session.prepare << sql, soci::use(limit_), soci::use(skip_), soci::use(key_), soci::into(id_),
                          soci::into(pattern_id_), soci::into(name_, name_indicator_))) {}

  int read(std::int64_t key, storage::RowSink& sink) {
    key_ = key;
    int rows = 0;
    statement_.execute();
    while (statement_.fetch()) {
      auto const name = name_indicator_ == soci::i_null ? std::nullopt : std::optional<std::string_view>(name_);
      sink.row(id_, pattern_id_, name);
      ++rows;
    }
    return rows;
  }

 private:
  long long key_ = 0;
  long long limit_ = SampleStore::deployments_each + 1;
  long long skip_ = 0;
  long long id_ = 0;
  long long pattern_id_ = 0;
  std::string name_;
  soci::indicator name_indicator_ = soci::i_ok;
  soci::statement statement_;
};

/// Asks `read(key, sink)` for the benchmark's question.
template <typename Read>
void measure(benchmark::State& state, Question question, Read read) {
  Ids ids;
  std::string out;
  for (auto _ : state) {
    out.clear();
    routing::ListRows rows(out, out.max_size(), storage::Table::deployments);
    expect_rows(read(question == Question::look_up ? ids.next() : pattern, rows), question);
    benchmark::DoNotOptimize(out.data());
  }
}

// SQLite

std::string const sqlite_look_up = "SELECT id, pattern_id, name FROM deployments WHERE id = ?1";
std::string const sqlite_list =
    "SELECT id, pattern_id, name FROM deployments WHERE pattern_id = ?3 ORDER BY id LIMIT ?1 OFFSET ?2";

SampleStore& sqlite_sample() {
  static SampleStore only;
  return only;
}

std::string const& sqlite_sql(Question question) {
  return question == Question::look_up ? sqlite_look_up : sqlite_list;
}

void soci_sqlite_stepped(benchmark::State& state, Question question) {
  auto const session = storage::open_session(sqlite_sample().url(), storage::Access::read);
  storage::SqliteStatement statement(*session, sqlite_sql(question));
  measure(state, question, [&](std::int64_t key, storage::RowSink& sink) {
    storage::ResetAtEnd const reset(statement);
    statement.bind(question == Question::look_up ? 1 : 3, key);
    if (question == Question::list_of_100) {
      statement.bind(1, std::int64_t{SampleStore::deployments_each + 1});
      statement.bind(2, std::int64_t{0});
    }
    int rows = 0;
    for (; statement.step() == SQLITE_ROW; ++rows) {
      auto const name = statement.null(3) ? std::nullopt : std::optional(statement.text(3));
      sink.row(statement.integer(1), statement.integer(2), name);
    }
    return rows;
  });
}
BENCHMARK_CAPTURE(soci_sqlite_stepped, look_up, Question::look_up);
BENCHMARK_CAPTURE(soci_sqlite_stepped, list_of_100, Question::list_of_100);

void soci_sqlite_exchanged(benchmark::State& state, Question question) {
  auto const session = storage::open_session(sqlite_sample().url(), storage::Access::read);
  Exchanged statement(*session, sqlite_sql(question), question);
  measure(state, question, [&](std::int64_t key, storage::RowSink& sink) { return statement.read(key, sink); });
}
BENCHMARK_CAPTURE(soci_sqlite_exchanged, look_up, Question::look_up);
BENCHMARK_CAPTURE(soci_sqlite_exchanged, list_of_100, Question::list_of_100);

// PostgreSQL

/// A server with the same rows.
class PostgresqlSample {
 public:
  PostgresqlSample() { import_sample_rows(url_); }

  storage::PostgresqlSource const& source() const noexcept { return source_; }
  std::unique_ptr<soci::session> open_session() const { return storage::open_session(url_, storage::Access::read); }
  storage::PostgresqlStatement const& statement(Question question) const {
    return question == Question::look_up ? queries_.deployment() : queries_.list({.pattern_id = pattern});
  }

 private:
  tests::PostgresqlServer server_;
  storage::PostgresqlUrl url_ =
      std::get<storage::PostgresqlUrl>(*storage::parse_database_url(server_.create_database()));
  storage::PrimaryWatch primary_;
  storage::PostgresqlQueries queries_{storage::relation_names({}), true};
  storage::PostgresqlSource source_{storage::PostgresqlHosts(url_), true, 5s, primary_, queries_};
};

PostgresqlSample& postgresql_sample() {
  static PostgresqlSample only;
  return only;
}

/// True if there is a server to measure; otherwise the benchmark is skipped.
bool available(benchmark::State& state) {
  if (tests::PostgresqlServer::installed()) return true;
  state.SkipWithError("PostgreSQL is not installed");
  return false;
}

void run(boost::asio::io_context& loop, awaitable<void> work) {
  boost::asio::co_spawn(loop, std::move(work), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  loop.run();
}

awaitable<void> ask_on_loop(benchmark::State& state, boost::asio::io_context& loop, Question question) {
  auto const& source = postgresql_sample().source();
  auto const session = std::make_shared<storage::PostgresqlSession>(
      loop.get_executor(), storage::open_postgresql(source, storage::SessionUse::queries), source);
  auto const& statement = postgresql_sample().statement(question);
  storage::LeftOutRows left_out({});
  Ids ids;
  std::string out;
  for (auto _ : state) {
    storage::PostgresqlParameters parameters;
    if (question == Question::look_up)
      parameters.push_back(std::to_string(ids.next()));
    else
      parameters = storage::list_parameters({.pattern_id = pattern}, storage::list_bounds({}, 100));
    auto const result = co_await session->run(statement, parameters);
    out.clear();
    routing::ListRows rows(out, out.max_size(), storage::Table::deployments);
    auto const count = storage::row_count(**result);
    for (std::size_t row = 0; row < count; ++row) storage::give_row(**result, row, rows, left_out);
    expect_rows(static_cast<int>(count), question);
    benchmark::DoNotOptimize(out.data());
  }
}

void soci_postgresql_on_loop(benchmark::State& state, Question question) {
  if (!available(state)) return;
  boost::asio::io_context loop(1);
  run(loop, ask_on_loop(state, loop, question));
}

void soci_postgresql_exchanged(benchmark::State& state, Question question) {
  if (!available(state)) return;
  auto const session = postgresql_sample().open_session();
  Exchanged statement(*session, postgresql_sample().statement(question).sql, question);
  measure(state, question, [&](std::int64_t key, storage::RowSink& sink) { return statement.read(key, sink); });
}

awaitable<int> read_on_thread(Exchanged& statement, std::int64_t key, storage::RowSink& sink) {
  co_return statement.read(key, sink);
}

awaitable<void> ask_thread(benchmark::State& state, boost::asio::thread_pool& threads, Question question) {
  auto const session = postgresql_sample().open_session();
  Exchanged statement(*session, postgresql_sample().statement(question).sql, question);
  Ids ids;
  std::string out;
  for (auto _ : state) {
    out.clear();
    routing::ListRows rows(out, out.max_size(), storage::Table::deployments);
    auto const key = question == Question::look_up ? ids.next() : pattern;
    auto answer = read_on_thread(statement, key, rows);
    auto const count = co_await boost::asio::co_spawn(threads, std::move(answer), boost::asio::use_awaitable);
    expect_rows(count, question);
    benchmark::DoNotOptimize(out.data());
  }
}

void soci_postgresql_exchanged_on_threads(benchmark::State& state, Question question) {
  if (!available(state)) return;
  boost::asio::io_context loop(1);
  boost::asio::thread_pool threads(1);
  run(loop, ask_thread(state, threads, question));
}

void soci_postgresql_opened(benchmark::State& state, storage::SessionUse use) {
  if (!available(state)) return;
  for (auto _ : state) storage::open_postgresql(postgresql_sample().source(), use);
}

// While the server works, this program waits. The CPU time is that of all its threads.
void in_wall_time(benchmark::internal::Benchmark* benchmark) {
  benchmark->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMicrosecond);
}

BENCHMARK_CAPTURE(soci_postgresql_on_loop, look_up, Question::look_up)->Apply(in_wall_time);
BENCHMARK_CAPTURE(soci_postgresql_on_loop, list_of_100, Question::list_of_100)->Apply(in_wall_time);
BENCHMARK_CAPTURE(soci_postgresql_exchanged, look_up, Question::look_up)->Apply(in_wall_time);
BENCHMARK_CAPTURE(soci_postgresql_exchanged, list_of_100, Question::list_of_100)->Apply(in_wall_time);
BENCHMARK_CAPTURE(soci_postgresql_exchanged_on_threads, look_up, Question::look_up)->Apply(in_wall_time);
BENCHMARK_CAPTURE(soci_postgresql_exchanged_on_threads, list_of_100, Question::list_of_100)->Apply(in_wall_time);
BENCHMARK_CAPTURE(soci_postgresql_opened, prepared, storage::SessionUse::queries)->Apply(in_wall_time);
BENCHMARK_CAPTURE(soci_postgresql_opened, unprepared, storage::SessionUse::cursor)->Apply(in_wall_time);

}  // namespace
}  // namespace deployd::bench
