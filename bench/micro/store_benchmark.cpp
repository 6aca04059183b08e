// The queries of a worker, through its store and through SOCI's own exchange of values (decision 0023).
#include <benchmark/benchmark.h>

#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bench/micro/sample_store.hpp"
#include "routing/list_rows.hpp"
#include "storage/session/session.hpp"
#include "tests/postgresql_server.hpp"

namespace deployd::bench {
namespace {

using boost::asio::awaitable;

SampleStore& sqlite() {
  static SampleStore only;
  return only;
}

SampleStore& postgresql() {
  static tests::PostgresqlServer server;
  static SampleStore only(*storage::parse_database_url(server.create_database()));
  return only;
}

using Sample = SampleStore& (*)();

/// True if the store can be measured; otherwise the benchmark is skipped.
bool available(benchmark::State& state, Sample sample) {
  if (sample == sqlite || tests::PostgresqlServer::installed()) return true;
  state.SkipWithError("PostgreSQL is not installed");
  return false;
}

/// Returns the ids of the sample's deployments in turn.
std::int64_t next_id() {
  static std::int64_t last = 0;
  return 1 + last++ % (std::int64_t{SampleStore::patterns} * SampleStore::deployments_each);
}

void data_version(benchmark::State& state) {
  auto& store = sqlite().store();
  for (auto _ : state) {
    auto version = store.data_version();
    benchmark::DoNotOptimize(version);
  }
}
BENCHMARK(data_version);

awaitable<void> look_up_all(benchmark::State& state, storage::Store& store) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    routing::ListRows rows(out, out.max_size(), storage::Table::deployments);
    auto const found = co_await store.deployment(next_id(), rows);
    if (!found || !*found) throw std::logic_error("a deployment is not found");
    benchmark::DoNotOptimize(out.data());
  }
}

void look_up(benchmark::State& state, Sample sample) {
  if (available(state, sample)) sample().run(look_up_all(state, sample().store()));
}

awaitable<void> list_again_and_again(benchmark::State& state, storage::Store& store, storage::Filter filter) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    routing::ListRows rows(out, out.max_size(), storage::Table::deployments);
    auto const listing = co_await store.list(filter, 10'000, rows);
    if (!listing || !listing->complete) throw std::logic_error("a list is not read");
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}

void list(benchmark::State& state, Sample sample, storage::Filter const& filter) {
  if (available(state, sample)) sample().run(list_again_and_again(state, sample().store(), filter));
}

enum class Question { look_up, list_of_100 };

std::string sql_of(Sample sample, Question question) {
  std::string const select = "SELECT id, pattern_id, name FROM ";
  return select + (sample == sqlite ? "deployments" : "deployd.deployments") +
         (question == Question::look_up ? " WHERE id = :key" : " WHERE pattern_id = :key ORDER BY id LIMIT 101");
}

/// A question as SOCI answers it with `into` and `use`.
class Exchanged {
 public:
  Exchanged(Sample sample, Question question)
      : question_(question),
        session_(storage::open_session(sample().url(), storage::Access::read)),
        statement_((session_->prepare << sql_of(sample, question), soci::use(key_), soci::into(id_),
                    soci::into(pattern_id_), soci::into(name_, name_indicator_))) {}

  void ask() {
    out_.clear();
    routing::ListRows rows(out_, out_.max_size(), storage::Table::deployments);
    key_ = question_ == Question::look_up ? next_id() : 5;
    int count = 0;
    for (statement_.execute(); statement_.fetch(); ++count)
      rows.row(id_, pattern_id_,
               name_indicator_ == soci::i_null ? std::nullopt : std::optional<std::string_view>(name_));
    if (count != (question_ == Question::look_up ? 1 : SampleStore::deployments_each))
      throw std::logic_error("not all rows are found");
    benchmark::DoNotOptimize(out_.data());
  }

 private:
  Question question_;
  std::unique_ptr<soci::session> session_;
  long long key_ = 0;
  long long id_ = 0;
  long long pattern_id_ = 0;
  std::string name_;
  soci::indicator name_indicator_ = soci::i_ok;
  soci::statement statement_;
  std::string out_;
};

void exchanged(benchmark::State& state, Sample sample, Question question) {
  if (!available(state, sample)) return;
  Exchanged statement(sample, question);
  for (auto _ : state) statement.ask();
}

awaitable<void> ask(Exchanged& statement) {
  statement.ask();
  co_return;
}

awaitable<void> ask_on_thread(benchmark::State& state, Exchanged& statement, boost::asio::thread_pool& threads) {
  for (auto _ : state) co_await boost::asio::co_spawn(threads, ask(statement), boost::asio::use_awaitable);
}

void exchanged_on_thread(benchmark::State& state, Sample sample, Question question) {
  if (!available(state, sample)) return;
  Exchanged statement(sample, question);
  boost::asio::thread_pool threads(1);
  sample().run(ask_on_thread(state, statement, threads));
}

// While the server works, this program waits. The CPU time is that of all its threads.
void in_wall_time(benchmark::internal::Benchmark* benchmark) {
  benchmark->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMicrosecond);
}

BENCHMARK_CAPTURE(look_up, sqlite, sqlite);
BENCHMARK_CAPTURE(look_up, postgresql, postgresql)->Apply(in_wall_time);
BENCHMARK_CAPTURE(list, hundred_by_pattern, sqlite, {.pattern = "PATTERN_5"});
BENCHMARK_CAPTURE(list, hundred_by_pattern_id, sqlite, {.pattern_id = 5});
BENCHMARK_CAPTURE(list, hundred_by_pattern_id_postgresql, postgresql, {.pattern_id = 5})->Apply(in_wall_time);
BENCHMARK_CAPTURE(list, thousand, sqlite, {});
BENCHMARK_CAPTURE(exchanged, look_up_sqlite, sqlite, Question::look_up);
BENCHMARK_CAPTURE(exchanged, look_up_postgresql, postgresql, Question::look_up)->Apply(in_wall_time);
BENCHMARK_CAPTURE(exchanged, list_sqlite, sqlite, Question::list_of_100);
BENCHMARK_CAPTURE(exchanged, list_postgresql, postgresql, Question::list_of_100)->Apply(in_wall_time);
BENCHMARK_CAPTURE(exchanged_on_thread, look_up_postgresql, postgresql, Question::look_up)->Apply(in_wall_time);
BENCHMARK_CAPTURE(exchanged_on_thread, list_postgresql, postgresql, Question::list_of_100)->Apply(in_wall_time);

}  // namespace
}  // namespace deployd::bench
