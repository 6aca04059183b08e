// From rows to the bytes of a response.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/json_escape.hpp"
#include "routing/answer_cache.hpp"
#include "routing/list_rows.hpp"
#include "routing/rendered_answer.hpp"
#include "server/http/worker_clock.hpp"

namespace deployd::routing {
namespace {

constexpr std::string_view name = "deployment 123 to the warehouse";

CorsPolicy const& any_origin() {
  static CorsPolicy const policy({"*"});
  return policy;
}

/// Returns the body of a list of `rows`, or of one deployment if it is 1.
std::string body_of(std::int64_t rows) {
  std::string body;
  if (rows > 1) body += '[';
  ListRows sink(body, body.max_size(), storage::Table::deployments);
  for (std::int64_t id = 1; id <= rows; ++id) sink.row(id, 1, name);
  if (rows > 1) body += ']';
  return body;
}

std::shared_ptr<RenderedAnswer const> rendered(std::int64_t rows) {
  return std::make_shared<RenderedAnswer const>(render_answer({.body = body_of(rows)}, any_origin()));
}

Request plain_get() {
  Request request;
  request.method = Method::get;
  return request;
}

void escape_json(benchmark::State& state, std::string_view text) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    base::append_json_escaped(out, text);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(escape_json, plain, name);
BENCHMARK_CAPTURE(escape_json, quotes, R"(a "quoted" name with a \ in it)");
BENCHMARK_CAPTURE(escape_json, utf8, "Äußere Übersicht für Köln, größte Städte 数据仓库");

void append_row(benchmark::State& state) {
  std::string out;
  std::int64_t id = 0;
  for (auto _ : state) {
    out.clear();
    append_json(out, ++id % 100000, 12, name);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(append_row);

void render_body(benchmark::State& state) {
  auto const body = body_of(state.range());
  for (auto _ : state) {
    auto answer = render_answer({.body = body}, any_origin());
    benchmark::DoNotOptimize(answer);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(render_body)->ArgName("rows")->Arg(1)->Arg(100);

void copy_kept_answer(benchmark::State& state) {
  auto const answer = rendered(state.range());
  auto const request = plain_get();
  server::HttpDate date;
  auto const now = std::chrono::system_clock::now();
  Moment const moment{now, date.at(now)};
  Output out;
  for (auto _ : state) {
    out.clear();
    auto status = append_answer(out, answer, request, moment, any_origin());
    benchmark::DoNotOptimize(status);
    benchmark::DoNotOptimize(out.bytes.data());
  }
}
BENCHMARK(copy_kept_answer)->ArgName("rows")->Arg(1)->Arg(100);

void find_kept_answer(benchmark::State& state) {
  AnswerCache cache(1 << 20);
  for (int id = 0; id < 1000; ++id) cache.keep("/api/v1/deployments/" + std::to_string(id), {}, 1, rendered(1));
  for (auto _ : state) {
    auto const* kept = cache.find("/api/v1/deployments/500", {}, 1);
    if (kept == nullptr) throw std::logic_error("an answer is not kept");
    benchmark::DoNotOptimize(kept);
  }
}
BENCHMARK(find_kept_answer);

/// `state.range()` is the number of milliseconds between two requests.
void write_http_date(benchmark::State& state) {
  server::HttpDate date;
  auto now = std::chrono::system_clock::now();
  for (auto _ : state) {
    now += std::chrono::milliseconds(state.range());
    auto text = date.at(now);
    benchmark::DoNotOptimize(text);
  }
}
BENCHMARK(write_http_date)->ArgName("milliseconds_apart")->Arg(0)->Arg(1000);

}  // namespace
}  // namespace deployd::routing
