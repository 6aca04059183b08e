#include "bench/comparison.hpp"

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fstream>
#include <iterator>
#include <optional>

#include "bench/options.hpp"
#include "bench/report.hpp"

namespace deployd::bench {
namespace {

double microseconds(std::chrono::duration<double, std::micro> duration) {
  return duration.count();
}

std::string line(char const* name, double before, std::optional<double> now, char const* unit, bool slower) {
  if (!now) return fmt::format("  {:<6} {:>12.1f} -> {:>12} {}\n", name, before, nothing, unit);
  auto const change = before > 0 ? fmt::format("{:+.1f} %", (*now / before - 1) * 100) : nothing;
  return fmt::format("  {:<6} {:>12.1f} -> {:>12.1f} {:<4} {:>9}{}\n", name, before, *now, unit, change,
                     slower ? "  SLOWER" : "");
}

}  // namespace

Baseline read_baseline(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  std::string const text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) throw UsageError("--compare: cannot read " + path);
  try {
    auto const value = boost::json::parse(text);
    auto const& latency = value.at("latency_us");
    if (latency.at("p50").is_null()) throw UsageError("--compare: " + path + " is of a run without a right answer");
    return {value.at("rate_rps").to_number<double>(), latency.at("p50").to_number<double>(),
            latency.at("p99").to_number<double>()};
  } catch (UsageError const&) {
    throw;
  } catch (std::exception const&) {
    throw UsageError("--compare: " + path + " is not the --json of an earlier run");
  }
}

Comparison compare(Baseline const& before, Results const& now, bool open_loop, double tolerance) {
  std::optional<double> p50, p99;
  if (now.tally.latency.count() > 0) {
    p50 = microseconds(now.tally.latency.percentile(0.5));
    p99 = microseconds(now.tally.latency.percentile(0.99));
  }
  bool const lower_rate = now.rate() < before.rate_rps * (1 - tolerance);
  bool const higher_p50 = open_loop && p50 > before.p50_us * (1 + tolerance);
  bool const higher_p99 = p99 > before.p99_us * (1 + tolerance);
  Comparison comparison{lower_rate || higher_p50 || higher_p99, {}};
  comparison.text = fmt::format("Compared with the earlier run, {:g} % tolerated:\n", tolerance * 100);
  comparison.text += line("rate", before.rate_rps, now.rate(), "/s", lower_rate);
  comparison.text += line("p50", before.p50_us, p50, "us", higher_p50);
  comparison.text += line("p99", before.p99_us, p99, "us", higher_p99);
  return comparison;
}

}  // namespace deployd::bench
