#include <catch2/catch_test_macros.hpp>

#include <string>

#include "bench/report.hpp"
#include "bench/svg_plot.hpp"
#include "bench/time_series.hpp"

using namespace deployd::bench;
using namespace std::chrono_literals;

namespace {

Results some_results() {
  Results results;
  results.duration = 2s;
  for (int i = 0; i < 1000; ++i) {
    ++results.tally.right;
    results.tally.latency.record(100us * (i + 1));
    results.tally.service.record(50us * (i + 1));
    results.series.right(2ms * i, 100us * (i + 1));
  }
  return results;
}

}  // namespace

TEST_CASE("the page needs no network") {
  Options options;
  options.url_text = "http://127.0.0.1/";
  auto html = html_report(options, some_results());
  for (char const* word : {"src=", "href=", "@import", "url(", "<script"}) CHECK(html.find(word) == std::string::npos);
}

TEST_CASE("the page shows the command, the machine and the errors, and escapes what it was given") {
  Options options;
  options.url_text = "http://127.0.0.1/?<script>";
  options.command = {"deployd-bench", "http://127.0.0.1/?<script>"};
  auto results = some_results();
  results.tally.count(Failure::reset);
  results.series.error(1s);
  auto const html = html_report(options, results);
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("deployd-bench 'http://127.0.0.1/?&lt;script&gt;'") != std::string::npos);
  CHECK(html.find(" cores for the generator, Linux ") != std::string::npos);
  CHECK(html.find("the connection was reset") != std::string::npos);
}

TEST_CASE("a page without a single answer is still a page") {
  CHECK(html_report(Options(), Results()).ends_with("</html>\n"));
}

TEST_CASE("a figure of nothing is a dash, in text and on the page") {
  Options options;
  options.overload_status = 503;
  options.rate = 10;
  auto results = some_results();
  for (auto const& text : {text_report(options, results), html_report(options, results)}) {
    CHECK(text.find("–") != std::string::npos);  // of the answers with 503
    CHECK(text.find(">0 ns<") == std::string::npos);
    CHECK(text.find(" 0 ns") == std::string::npos);
  }
  results = Results();
  results.tally.skipped = 7;
  for (auto const& text : {text_report(options, results), html_report(options, results)}) {
    CHECK(text.find("7 of 7 requests could not be sent in time") != std::string::npos);
    CHECK(text.find("–") != std::string::npos);
    CHECK(text.find("0 ns") == std::string::npos);
    CHECK(text.find("are right") == std::string::npos);
  }
}

TEST_CASE("requests that were not sent are no good run, however right the answers") {
  Options options;
  options.rate = 10;
  auto results = some_results();
  results.tally.skipped = 3;
  CHECK(complaint(options, results).starts_with("3 of 1,003 requests could not be sent in time: "));
  CHECK(html_report(options, results).find("verdict good") == std::string::npos);
  results.tally.count(Failure::reset);
  CHECK(complaint(options, results).starts_with("3 of 1,004 requests could not be sent in time: "));
  CHECK(complaint(options, results).ends_with("; not every answer was right: reset"));
}

TEST_CASE("intervals are merged when a run outgrows them, and nothing is lost") {
  TimeSeries series;
  for (int second = 0; second < 3600; ++second) series.right(1s * second, 1ms);
  series.error(3599s);
  CHECK(series.intervals().size() <= 240);
  std::uint64_t right = 0, errors = 0;
  for (auto const& interval : series.intervals()) {
    right += interval.right;
    errors += interval.errors;
    CHECK(interval.latency.count() == interval.right);
  }
  CHECK(right == 3600);
  CHECK(errors == 1);
  CHECK(series.intervals().back().errors == 1);
}

TEST_CASE("series of different lengths merge into the coarser one") {
  TimeSeries shorter, longer;
  shorter.right(0s, 1ms);
  shorter.right(5s, 1ms);
  longer.right(0s, 1ms);
  longer.right(600s, 1ms);
  auto const length = longer.interval_length();
  shorter.merge(longer);
  CHECK(shorter.interval_length() == length);
  CHECK(shorter.intervals().front().right == 2);
  CHECK(shorter.intervals().at(static_cast<std::size_t>(5s / length)).right >= 1);
  CHECK(shorter.intervals().back().right == 1);
}

TEST_CASE("durations and numbers are readable") {
  CHECK(readable(999ns) == "999 ns");
  CHECK(readable(1500ns) == "1.5 µs");
  CHECK(readable(std::chrono::nanoseconds(1'234'567)) == "1.23 ms");
  CHECK(readable(std::chrono::nanoseconds(12s)) == "12.00 s");
  CHECK(readable(std::uint64_t{0}) == "0");
  CHECK(readable(std::uint64_t{999}) == "999");
  CHECK(readable(std::uint64_t{1'234'567}) == "1,234,567");
}

TEST_CASE("an axis holds what it is for and has few ticks") {
  auto const label = [](double value) { return std::to_string(value); };
  for (double const most : {0.0, 0.001, 1.0, 7.3, 99.0, 101.0, 123456.0}) {
    auto const axis = linear_axis(most, label);
    CHECK(axis.to >= most);
    CHECK(axis.ticks.size() >= 2);
    CHECK(axis.ticks.size() <= 8);
  }
  auto const axis = log_axis({{"", "", {{0, 0.05}, {1, 250}}}}, label);
  CHECK(axis.from <= 0.05);
  CHECK(axis.to >= 250);
}
