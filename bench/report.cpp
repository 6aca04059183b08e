#include "bench/report.hpp"

#include <fmt/format.h>

#include <cmath>

namespace deployd::bench {
namespace {

std::string load(Options const& options) {
  auto text =
      options.rate ? fmt::format("open loop of {:g} requests a second, ", *options.rate) : std::string("closed loop, ");
  text += fmt::format("{} connection{}", options.connections, options.connections == 1 ? "" : "s");
  if (options.pipeline > 1) text += fmt::format(", {} requests in flight on each", options.pipeline);
  if (options.new_connections) text += ", a new one for each request";
  return text + fmt::format(", {} thread{}", options.threads, options.threads == 1 ? "" : "s");
}

std::string percentiles(char const* name, Histogram const& histogram) {
  return fmt::format("  {:<10} p50 {:>9}   p90 {:>9}   p99 {:>9}   p99.9 {:>9}   max {:>9}\n", name,
                     readable(histogram.percentile(0.5)), readable(histogram.percentile(0.9)),
                     readable(histogram.percentile(0.99)), readable(histogram.percentile(0.999)),
                     readable(histogram.max()));
}

std::string errors(Tally const& tally) {
  std::string text;
  for (auto const& [kind, count] : tally.errors_by_kind())
    text += fmt::format("{}{} x {}", text.empty() ? "" : ", ", readable(count), kind);
  return text;
}

}  // namespace

std::string readable(std::chrono::nanoseconds duration) {
  auto const ns = static_cast<double>(duration.count());
  if (ns < 1e3) return fmt::format("{} ns", duration.count());
  if (ns < 1e6) return fmt::format("{:.1f} µs", ns / 1e3);
  if (ns < 1e9) return fmt::format("{:.2f} ms", ns / 1e6);
  return fmt::format("{:.2f} s", ns / 1e9);
}

std::string readable(std::uint64_t number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string text_report(Options const& options, Results const& results) {
  auto const& tally = results.tally;
  auto const seconds = std::chrono::duration<double>(results.duration).count();
  auto text = options.url_text + "\n" + load(options) + "\n\n";
  text += fmt::format("  {:<10} {} right answers in {:.2f} s\n", "requests", readable(tally.right), seconds);
  text += fmt::format("  {:<10} {} a second, {:.1f} MB/s\n", "rate",
                      readable(static_cast<std::uint64_t>(std::llround(results.rate()))),
                      seconds > 0 ? static_cast<double>(tally.bytes) / seconds / 1e6 : 0.0);
  text += percentiles("latency", tally.latency);
  if (options.rate) {
    text += percentiles("service", tally.service);
    text += fmt::format("  {:<10} {} sent late, {} never sent\n", "schedule", readable(tally.late),
                        readable(tally.skipped));
  }
  if (options.url.secure)
    text += fmt::format("  {:<10} {} handshakes, {} of them resumed\n", "tls", readable(tally.handshakes),
                        readable(tally.resumed));
  if (options.overload_status) {
    text += fmt::format("  {:<10} {} answers with {}\n", "overload", readable(tally.overload.count()),
                        *options.overload_status);
    text += percentiles("", tally.overload);
  }
  text += fmt::format("  {:<10} {}\n", "errors", tally.errors() == 0 ? "none" : errors(tally));
  text += fmt::format("  {:<10} {:.0f} % of its CPU time{}\n", "generator", results.generator_cpu * 100,
                      results.generator_cpu > generator_limit
                          ? ": it is the limit, not the server; give it --threads or a core of its own"
                          : "");
  if (results.interrupted) text += "\nStopped early by a signal.\n";
  if (results.gave_up) text += "\nStopped early: the server is gone.\n";
  return text;
}

}  // namespace deployd::bench
