// The cost of logging a request, by target. The time per byte is the inverse of `bytes_per_second`.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/log/access_log.hpp"
#include "server/log/redaction.hpp"

namespace deployd::server {
namespace {

/// Returns `pieces` repeated to the length of the longest target that is accepted.
std::string repeated(std::string_view pieces) {
  std::string text = "/";
  while (text.size() < 8192) text += pieces;
  return text.substr(0, 8192);
}

void redact(benchmark::State& state, std::string const& text) {
  for (auto _ : state) {
    auto result = redacted(text);
    benchmark::DoNotOptimize(result);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

std::string const beginnings_and_tokens =
    repeated("eyJ").substr(0, 5400) + repeated("/eyJaaaaa.bbbbbbbb").substr(0, 2792);

BENCHMARK_CAPTURE(redact, usual, "/api/v1/deployments?pattern=CORE_DV_HLS&$limit=50");
BENCHMARK_CAPTURE(redact, usual_escaped, "/api/v1/deployments?id%5B$gt%5D=1234&name=views+to+D%C3%89V");
BENCHMARK_CAPTURE(redact, letters, repeated("a"));
BENCHMARK_CAPTURE(redact, beginnings_of_jwts, repeated("eyJ"));
BENCHMARK_CAPTURE(redact, beginnings_and_tokens, beginnings_and_tokens);
BENCHMARK_CAPTURE(redact, jwts, repeated("eyJaaaaa.bbbbbbbb/"));
BENCHMARK_CAPTURE(redact, jwts_of_many_parts, repeated("eyJaaaaa."));
BENCHMARK_CAPTURE(redact, headers_with_white_space, repeated("-ewo"));
BENCHMARK_CAPTURE(redact, beginnings_of_api_tokens, repeated("dpd_"));
BENCHMARK_CAPTURE(redact, almost_beginnings_of_api_tokens, repeated("dpd"));
BENCHMARK_CAPTURE(redact, api_tokens, repeated("dpd_0123456789abcdefghij/"));
BENCHMARK_CAPTURE(redact, authorities, repeated("://"));
BENCHMARK_CAPTURE(redact, passwords_of_urls, repeated("a://b:c@"));
BENCHMARK_CAPTURE(redact, passwords_of_urls_and_percent_sign, repeated("://b:c@") + "%");
BENCHMARK_CAPTURE(redact, passwords_of_urls_and_percent_signs, repeated("://b:%@"));
BENCHMARK_CAPTURE(redact, colons_and_ats, "://" + repeated(":@"));
BENCHMARK_CAPTURE(redact, passwords, repeated("password=a&"));
BENCHMARK_CAPTURE(redact, names_of_passwords, repeated("password="));
BENCHMARK_CAPTURE(redact, almost_names_of_passwords, repeated("passwor"));
BENCHMARK_CAPTURE(redact, percent_signs, repeated("%"));
BENCHMARK_CAPTURE(redact, percent_signs_escaped, repeated("%25"));
BENCHMARK_CAPTURE(redact, percent_signs_nested, repeated("%252525"));
BENCHMARK_CAPTURE(redact, escaped_jwts, repeated("%65%79Jaaaaa%2Ebbbbbbbb/"));
BENCHMARK_CAPTURE(redact, escaped_passwords_of_urls, repeated("%3A%2F%2Fb%3Ac%40"));

void write_access_line(benchmark::State& state, std::string const& target) {
  AccessEntry entry{};
  entry.time = std::chrono::system_clock::now();
  entry.remote = "127.0.0.1:4711";
  entry.method = "GET";
  entry.target = target;
  entry.status = 401;
  entry.request_id = "3f9c2a7b51e0d684-1c";
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_access_line(out, AccessLog::json, entry);
    benchmark::DoNotOptimize(out);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(target.size()));
}
BENCHMARK_CAPTURE(write_access_line, usual, "/api/v1/deployments?pattern=CORE_DV_HLS&$limit=50");
BENCHMARK_CAPTURE(write_access_line, beginnings_and_tokens, beginnings_and_tokens);
BENCHMARK_CAPTURE(write_access_line, quotes, repeated("\""));
BENCHMARK_CAPTURE(write_access_line, no_utf8, repeated("\xFF"));
BENCHMARK_CAPTURE(write_access_line, controls, repeated("\xC2\x9B"));
BENCHMARK_CAPTURE(write_access_line, directions, repeated("\xE2\x80\xAE"));

}  // namespace
}  // namespace deployd::server
