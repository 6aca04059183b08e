// From the bytes of a request to its filter.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "routing/query.hpp"
#include "routing/router.hpp"
#include "routing/target.hpp"
#include "server/http/request_reader.hpp"

namespace deployd {
namespace {

constexpr server::HeadLimits limits{.target_bytes = 8192, .header_bytes = 16384, .body_bytes = 65536};

std::string const token = "Authorization: Bearer dpd_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG\r\n";

void read_head(benchmark::State& state, std::string const& fields) {
  auto const head = "GET /api/v1/deployments/123 HTTP/1.1\r\nHost: deployd.example\r\n" + fields + "\r\n";
  routing::Request request;
  for (auto _ : state) {
    auto const result = server::read_request_head(head, limits, request);
    if (result.state != server::ReadResult::State::complete) throw std::logic_error("the head is not read");
    benchmark::DoNotOptimize(request);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(head.size()));
}
BENCHMARK_CAPTURE(read_head, two_fields, token);
BENCHMARK_CAPTURE(read_head, of_curl, token + "User-Agent: curl/7.88.1\r\nAccept: */*\r\n");
BENCHMARK_CAPTURE(read_head, of_a_browser,
                  token +
                      "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
                      "Accept: application/json\r\nAccept-Language: en-US,en;q=0.5\r\n"
                      "Accept-Encoding: gzip, deflate, br, zstd\r\nReferer: https://app.example.com/deployments\r\n"
                      "Origin: https://app.example.com\r\nConnection: keep-alive\r\nSec-Fetch-Dest: empty\r\n"
                      "Sec-Fetch-Mode: cors\r\nSec-Fetch-Site: cross-site\r\n");

void decode_target(benchmark::State& state, std::string_view target) {
  for (auto _ : state) {
    auto const split = routing::split_target(target);
    auto path = routing::decode_path(split->path);
    benchmark::DoNotOptimize(path);
  }
}
BENCHMARK_CAPTURE(decode_target, one, "/api/v1/deployments/123");
BENCHMARK_CAPTURE(decode_target, list, "/api/v1/deployments?pattern=CORE_DV_HLS");
BENCHMARK_CAPTURE(decode_target, escaped, "/api/v1/deployments/%31%32%33");

void match_route(benchmark::State& state, std::string_view target) {
  auto const path = routing::decode_path(target);
  for (auto _ : state) {
    auto match = routing::match(path);
    benchmark::DoNotOptimize(match);
  }
}
BENCHMARK_CAPTURE(match_route, one, "/api/v1/deployments/123");
BENCHMARK_CAPTURE(match_route, list, "/api/v1/deployments");
BENCHMARK_CAPTURE(match_route, none, "/api/v1/patterns/123");

void read_query(benchmark::State& state, std::string_view query) {
  for (auto _ : state) {
    auto filter = routing::read_filter(query);
    benchmark::DoNotOptimize(filter);
  }
}
BENCHMARK_CAPTURE(read_query, pattern, "pattern=CORE_DV_HLS");
BENCHMARK_CAPTURE(read_query, escaped, "name=views+to+Databricks%20D%C3%89V");
BENCHMARK_CAPTURE(read_query, page, "pattern_id=12&$limit=50&id[$gt]=1234");

/// Returns `pieces` repeated to 8 KB.
std::string repeated(std::string_view pieces) {
  std::string text;
  while (text.size() < 8192) text += pieces;
  return text.substr(0, 8192);
}

/// Parses a query meant to keep the server busy; `bytes_per_second` is how much of it can be parsed.
void read_hostile_query(benchmark::State& state, std::string const& query) {
  for (auto _ : state) {
    auto filter = routing::read_filter(query);
    benchmark::DoNotOptimize(filter);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(query.size()));
}

/// Returns 2700 different names of two letters.
std::string many_names() {
  std::string query;
  for (int i = 0; query.size() < 8100; ++i) {
    query += static_cast<char>('A' + i / 52 % 58);
    query += static_cast<char>('A' + i % 52);
    query += '&';
  }
  return query;
}
BENCHMARK_CAPTURE(read_hostile_query, many_names, many_names());
BENCHMARK_CAPTURE(read_hostile_query, known_and_many_names, "name=x&" + many_names());
BENCHMARK_CAPTURE(read_hostile_query, one_name, repeated("name=x&"));
BENCHMARK_CAPTURE(read_hostile_query, no_names, repeated("&"));
BENCHMARK_CAPTURE(read_hostile_query, long_name, repeated("%41"));
BENCHMARK_CAPTURE(read_hostile_query, long_value, "name=" + repeated("%C3%A4+"));

void decode_hostile_path(benchmark::State& state, std::string const& path) {
  for (auto _ : state) {
    auto decoded = routing::decode_path(path);
    benchmark::DoNotOptimize(decoded);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(path.size()));
}
BENCHMARK_CAPTURE(decode_hostile_path, slashes, repeated("/"));
BENCHMARK_CAPTURE(decode_hostile_path, escapes, "/" + repeated("%41"));

}  // namespace
}  // namespace deployd
