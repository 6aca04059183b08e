#include "server/metrics/exposition.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace deployd::server;
using namespace std::chrono_literals;
using deployd::routing::MetricsFormat;

namespace {

std::string document(MetricsFormat format) {
  Exposition out(format);
  out.begin("a_bytes_total", "What a is.");
  out.sample(std::uint64_t{7}, {{"x", "1"}, {"y", "q\"\\\n"}});
  out.sample(std::uint64_t{0}, {{"x", "2"}, {"y", ""}});
  out.single("b_seconds", "What b is.", 1.5);
  out.single("c", "What c is.", 2.0);
  return std::move(out).finish();
}

}  // namespace

TEST_CASE("a document of the Prometheus text format has families with help, type and samples") {
  CHECK(document(MetricsFormat::prometheus) ==
        "# HELP a_bytes_total What a is.\n"
        "# TYPE a_bytes_total counter\n"
        "a_bytes_total{x=\"1\",y=\"q\\\"\\\\\\n\"} 7\n"
        "a_bytes_total{x=\"2\",y=\"\"} 0\n"
        "# HELP b_seconds What b is.\n"
        "# TYPE b_seconds gauge\n"
        "b_seconds 1.5\n"
        "# HELP c What c is.\n"
        "# TYPE c gauge\n"
        "c 2.0\n");
}

TEST_CASE("OpenMetrics has counters without _total in their family, units and an end") {
  CHECK(document(MetricsFormat::openmetrics) ==
        "# HELP a_bytes What a is.\n"
        "# TYPE a_bytes counter\n"
        "# UNIT a_bytes bytes\n"
        "a_bytes_total{x=\"1\",y=\"q\\\"\\\\\\n\"} 7\n"
        "a_bytes_total{x=\"2\",y=\"\"} 0\n"
        "# HELP b_seconds What b is.\n"
        "# TYPE b_seconds gauge\n"
        "# UNIT b_seconds seconds\n"
        "b_seconds 1.5\n"
        "# HELP c What c is.\n"
        "# TYPE c gauge\n"
        "c 2.0\n"
        "# EOF\n");
}

TEST_CASE("a histogram's buckets are cumulative, in seconds, and end with all") {
  deployd::base::DurationHistogram histogram;
  histogram.observe(20us);
  histogram.observe(900ms, 2);
  histogram.observe(20s);
  Exposition out(MetricsFormat::prometheus);
  out.begin_histogram("t_seconds", "T.");
  out.sample(histogram.read(), {{"r", "a"}});
  auto const text = std::move(out).finish();
  CAPTURE(text);
  auto const has = [&](std::string const& line) { return text.find(line + "\n") != std::string::npos; };
  CHECK(has(R"(t_seconds_bucket{r="a",le="2.5e-05"} 1)"));
  CHECK(has(R"(t_seconds_bucket{r="a",le="0.5"} 1)"));
  CHECK(has(R"(t_seconds_bucket{r="a",le="1.0"} 3)"));
  CHECK(has(R"(t_seconds_bucket{r="a",le="10.0"} 3)"));
  CHECK(has(R"(t_seconds_bucket{r="a",le="+Inf"} 4)"));
  CHECK(has(R"(t_seconds_sum{r="a"} 21.80002)"));
  CHECK(has(R"(t_seconds_count{r="a"} 4)"));
}
