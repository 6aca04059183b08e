#include "bench/report.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cmath>

namespace deployd::bench {
namespace {

std::string percentiles(char const* name, Histogram const& histogram) {
  auto const at = [&](double share) { return figure(histogram, histogram.percentile(share)); };
  return fmt::format("  {:<10} p50 {:>9}   p90 {:>9}   p99 {:>9}   p99.9 {:>9}   max {:>9}\n", name, at(0.5), at(0.9),
                     at(0.99), at(0.999), figure(histogram, histogram.max()));
}

std::string rate(Results const& results) {
  auto const seconds = std::chrono::duration<double>(results.duration).count();
  if (seconds <= 0) return nothing;
  return fmt::format("{} a second, {:.1f} MB/s", readable(static_cast<std::uint64_t>(std::llround(results.rate()))),
                     static_cast<double>(results.tally.bytes) / seconds / 1e6);
}

std::string errors(Tally const& tally) {
  std::string text;
  for (auto const& kind : tally.errors_by_kind())
    text += fmt::format("{}{} x {}", text.empty() ? "" : ", ", readable(kind.count), kind.with_reason(kind.name));
  return text.empty() ? "none" : text;
}

// Describes that requests could not be sent in time, or that nothing was measured, and why; empty otherwise.
std::string unsent(Options const& options, Results const& results) {
  auto const& tally = results.tally;
  if (tally.skipped > 0) {
    auto why = fmt::format("no connection was free; the server is slower than --rate {:g}, or --connections {} too few",
                           options.rate.value_or(0), options.connections);
    if (results.generator_cpu > generator_limit) why = "the load generator is the limit, not the server";
    if (results.gave_up) why = "the server is gone";
    return fmt::format("{} of {} requests could not be sent in time: {}", readable(tally.skipped),
                       readable(tally.requests()), why);
  }
  if (tally.requests() > 0) return {};
  if (results.interrupted) return "nothing was measured: the run was stopped during its warm-up";
  if (results.gave_up) return "nothing was measured: the server was gone after the warm-up";
  return "nothing was measured: no request could be sent, since every connection still waited for an answer to the "
         "warm-up; give it a longer --duration or --warmup 0s";
}

}  // namespace

std::string load(Options const& options) {
  auto text =
      options.rate ? fmt::format("open loop of {:g} requests a second, ", *options.rate) : std::string("closed loop, ");
  text += fmt::format("{} connection{}", options.connections, options.connections == 1 ? "" : "s");
  if (options.pipeline > 1) text += fmt::format(", {} requests in flight on each", options.pipeline);
  if (options.new_connections) text += ", a new one for each request";
  return text + fmt::format(", {} thread{}", options.threads, options.threads == 1 ? "" : "s");
}

std::string readable(std::chrono::nanoseconds duration) {
  auto const ns = static_cast<double>(duration.count());
  if (ns < 1e3) return fmt::format("{} ns", duration.count());
  if (ns < 1e6) return fmt::format("{:.1f} µs", ns / 1e3);
  if (ns < 1e9) return fmt::format("{:.2f} ms", ns / 1e6);
  return fmt::format("{:.2f} s", ns / 1e9);
}

std::string figure(Histogram const& histogram, std::chrono::nanoseconds value) {
  return histogram.count() == 0 ? nothing : readable(value);
}

std::string readable(std::uint64_t number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string complaint(Options const& options, Results const& results) {
  auto const& tally = results.tally;
  std::string line;
  if (auto const kinds = tally.errors_by_kind(); !kinds.empty()) {
    auto const& commonest = kinds.front();
    line = "not every answer was right: " + commonest.with_reason(commonest.name);
    if (commonest.name == "401" && !options.authorized) line += "; give a token with --token or --token-file";
    if (commonest.name == name_of(Failure::certificate).name)
      line += "; --ca says whom to trust, --insecure trusts anybody";
  }
  auto const missing = unsent(options, results);
  if (line.empty() && missing.empty() && tally.right == 0) return "no answer was right";
  if (line.empty() || missing.empty()) return line + missing;
  return tally.skipped > tally.errors() ? missing + "; " + line : line + "; " + missing;
}

std::vector<std::string> remarks(Options const& options, Results const& results) {
  std::vector<std::string> sentences;
  if (auto text = unsent(options, results); !text.empty()) {
    text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
    sentences.push_back(std::move(text));
  }
  if (results.interrupted) sentences.emplace_back("Stopped early by a signal.");
  if (results.gave_up) sentences.emplace_back("Stopped early: the server is gone.");
  if (results.generator_cpu > generator_limit)
    sentences.emplace_back("The generator is the limit, not the server; give it --threads or a core of its own.");
  return sentences;
}

std::string text_report(Options const& options, Results const& results) {
  auto const& tally = results.tally;
  auto const seconds = std::chrono::duration<double>(results.duration).count();
  std::string text;
  for (auto const& sentence : remarks(options, results)) text += sentence + "\n";
  text += options.url_text + "\n" + load(options) + "\n\n";
  text += fmt::format("  {:<10} {} right answers in {:.2f} s\n", "requests", readable(tally.right), seconds);
  text += fmt::format("  {:<10} {}\n", "rate", rate(results));
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
  text += fmt::format("  {:<10} {}\n", "errors", errors(tally));
  auto const cpu = results.duration.count() > 0 ? fmt::format("{:.0f} %", results.generator_cpu * 100) : nothing;
  return text + fmt::format("  {:<10} {} of its CPU time\n", "generator", cpu);
}

}  // namespace deployd::bench
