// The queries of a worker on SQLite.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "bench/micro/sample_store.hpp"
#include "routing/list_rows.hpp"
#include "storage/filter.hpp"

namespace deployd::bench {
namespace {

SampleStore& sample() {
  static SampleStore only;
  return only;
}

void data_version(benchmark::State& state) {
  auto& store = sample().store();
  for (auto _ : state) {
    auto version = store.data_version();
    benchmark::DoNotOptimize(version);
  }
}
BENCHMARK(data_version);

boost::asio::awaitable<void> look_up_all(benchmark::State& state) {
  auto& store = sample().store();
  constexpr std::int64_t last = std::int64_t{SampleStore::patterns} * SampleStore::deployments_each;
  std::string out;
  std::int64_t id = 0;
  for (auto _ : state) {
    out.clear();
    routing::ListRows rows(out, out.max_size(), storage::Table::deployments);
    auto const found = co_await store.deployment(1 + id++ % last, rows);
    if (!found || !*found) throw std::logic_error("a deployment is not found");
    benchmark::DoNotOptimize(out.data());
  }
}

void look_up(benchmark::State& state) {
  sample().run(look_up_all(state));
}
BENCHMARK(look_up);

boost::asio::awaitable<void> list_again_and_again(benchmark::State& state, storage::Filter filter) {
  auto& store = sample().store();
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

void list(benchmark::State& state, storage::Filter const& filter) {
  sample().run(list_again_and_again(state, filter));
}
BENCHMARK_CAPTURE(list, hundred_by_pattern, {.pattern = "PATTERN_5"});
BENCHMARK_CAPTURE(list, hundred_by_pattern_id, {.pattern_id = 5});
BENCHMARK_CAPTURE(list, thousand, {});

}  // namespace
}  // namespace deployd::bench
