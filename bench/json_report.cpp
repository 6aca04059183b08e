#include <fmt/format.h>

#include "bench/report.hpp"

namespace deployd::bench {
namespace {

double microseconds(std::chrono::duration<double, std::micro> duration) {
  return duration.count();
}

std::string distribution(Histogram const& histogram) {
  if (histogram.count() == 0)
    return R"({"min":null,"mean":null,"p50":null,"p90":null,"p99":null,"p99_9":null,"max":null})";
  return fmt::format(
      R"({{"min":{:.3f},"mean":{:.3f},"p50":{:.3f},"p90":{:.3f},"p99":{:.3f},"p99_9":{:.3f},"max":{:.3f}}})",
      microseconds(histogram.min()), microseconds(histogram.mean()), microseconds(histogram.percentile(0.5)),
      microseconds(histogram.percentile(0.9)), microseconds(histogram.percentile(0.99)),
      microseconds(histogram.percentile(0.999)), microseconds(histogram.max()));
}

}  // namespace

std::string json_report(Options const& options, Results const& results) {
  auto const& tally = results.tally;
  std::string further;
  if (tally.handshakes != 0)
    further = fmt::format("\"tls\": {{\"handshakes\": {}, \"resumed\": {}}},\n  ", tally.handshakes, tally.resumed);
  if (options.overload_status)
    further += fmt::format("\"overload\": {{\"answers\": {}, \"latency_us\": {}}},\n  ", tally.overload.count(),
                           distribution(tally.overload));
  std::string errors;
  for (auto const& kind : tally.errors_by_kind()) errors += fmt::format(R"("{}":{},)", kind.name, kind.count);
  return fmt::format(R"({{
  "requests": {},
  "errors": {{{}"total":{}}},
  "rate_rps": {:.3f},
  "duration_s": {:.6f},
  "latency_us": {},
  "service_us": {},
  "late": {},
  "skipped": {},
  {}"generator_cpu": {:.4f}
}}
)",
                     tally.right, errors, tally.errors(), results.rate(),
                     std::chrono::duration<double>(results.duration).count(), distribution(tally.latency),
                     distribution(tally.service), tally.late, tally.skipped, further, results.generator_cpu);
}

}  // namespace deployd::bench
