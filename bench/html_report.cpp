#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <functional>

#include "bench/report.hpp"
#include "bench/svg_plot.hpp"

namespace deployd::bench {
namespace {

constexpr char style[] = R"(
:root { color-scheme: light dark; --ink: #1b2430; --soft: #66717f; --paper: #fff; --line: #e3e7ec; --tile: #f5f7f9;
  --a: #0b6bcb; --b: #e07b00; --c: #8a4fbf; --bad: #cc2936; --good: #1a7f4b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf0; --soft: #98a3b1; --paper: #14181d; --line: #2b323b;
  --tile: #1d232a; --a: #5aa9f5; --b: #ffab4a; --c: #c08be8; --bad: #ff6b75; --good: #5fcf92; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 920px; padding: 28px 20px 60px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0; } h1 + p { font-size: 17px; overflow-wrap: anywhere; } h2 { font-size: 17px; margin: 34px 0 2px; }
p { margin: 4px 0 10px; } .soft { color: var(--soft); }
.verdict { font-weight: 600; } .verdict.good { color: var(--good); } .verdict.bad { color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 10px; margin: 18px 0 0; }
.tile { background: var(--tile); border-radius: 8px; padding: 10px 14px; }
.tile b { display: block; font-size: 19px; white-space: nowrap; font-variant-numeric: tabular-nums; } .tile span { color: var(--soft); font-size: 13px; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--line); } .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.a { stroke: var(--a); } .b { stroke: var(--b); } .c { stroke: var(--c); } .bad { stroke: var(--bad); }
table { border-collapse: collapse; margin-top: 8px; } td, th { padding: 4px 22px 4px 0; text-align: right; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; } td:first-child, th:first-child { text-align: left; } th { color: var(--soft); font-weight: 500; }
td.text { text-align: left; overflow-wrap: anywhere; }
)";

double seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}
double milliseconds(std::chrono::nanoseconds duration) {
  return seconds(duration) * 1e3;
}

std::string log_time_label(double ms) {
  if (ms < 1) return fmt::format("{:g} µs", ms * 1e3);
  return ms < 1e3 ? fmt::format("{:g} ms", ms) : fmt::format("{:g} s", ms / 1e3);
}
std::string seconds_label(double value) {
  return fmt::format("{:g} s", value);
}
std::string count_label(double value) {
  return readable(static_cast<std::uint64_t>(std::llround(value)));
}

std::string paragraph(char const* css_class, std::string const& text) {
  return fmt::format("<p class=\"{}\">{}</p>\n", css_class, html_escaped(text));
}

std::string verdict(Options const& options, Results const& results) {
  std::string html;
  for (auto const& sentence : remarks(options, results)) html += paragraph("verdict bad", sentence);
  if (auto const kinds = results.tally.errors_by_kind(); !kinds.empty())
    html += paragraph("verdict bad", fmt::format("{} of {} requests got no right answer; most often: {}, {}.",
                                                 readable(results.tally.errors()), readable(results.tally.requests()),
                                                 kinds.front().name, kinds.front().with_reason(kinds.front().meaning)));
  if (html.empty() && results.tally.right == 0) html += paragraph("verdict bad", "No answer was right.");
  if (!complaint(options, results).empty()) return html;
  return html + paragraph("verdict good", fmt::format("All {} answers were right.", readable(results.tally.right)));
}

std::string tiles(Options const& options, Results const& results) {
  auto const& tally = results.tally;
  bool const measured = results.duration.count() > 0;
  auto const tile = [](std::string const& value, std::string const& what) {
    return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", value, what);
  };
  auto const latency = [&](double share) { return figure(tally.latency, tally.latency.percentile(share)); };
  auto html = std::string("<div class=\"tiles\">\n");
  html += tile(measured ? count_label(results.rate()) : nothing, "right answers a second");
  html += tile(latency(0.5), "median latency: half took less");
  html += tile(latency(0.99), "99th percentile: 99 of 100 took less");
  html += tile(readable(tally.errors()), "errors");
  if (options.overload_status)
    html += tile(readable(tally.overload.count()),
                 fmt::format("answers with {}: too much to do", *options.overload_status));
  if (options.rate) html += tile(readable(tally.late), "sent late: no connection was free");
  if (options.url.secure)
    html += tile(readable(tally.handshakes), fmt::format("TLS handshakes, {} resumed", readable(tally.resumed)));
  html += tile(measured ? fmt::format("{:.0f} %", results.generator_cpu * 100) : nothing,
               "of the generator's CPU time used");
  return html + "</div>\n";
}

// The x axis shows how rare a latency is, up to one of `rarest`: each step to the right is a tenth of the requests
// before it.
Line percentile_line(std::string name, std::string colour, Histogram const& histogram, double rarest) {
  Line line{std::move(name), std::move(colour), {}};
  for (double rarity = 1; rarity < rarest; rarity *= 1.1)
    line.points.emplace_back(rarity, milliseconds(histogram.percentile(1 - 1 / rarity)));
  line.points.emplace_back(rarest, milliseconds(histogram.percentile(1 - 1 / rarest)));
  return line;
}

std::string percentile_plot(Options const& options, Results const& results) {
  auto const& tally = results.tally;
  Axis x{1, 10, true, {{1, "0 %"}, {2, "50 %"}, {10, "90 %"}}};
  for (char const* label : {"99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %"}) {
    if (x.to * 10 > static_cast<double>(tally.right)) break;
    x.to *= 10;
    x.ticks.emplace_back(x.to, label);
  }
  std::vector<Line> lines{
      percentile_line(options.rate ? "latency, from when it was due" : "latency", "a", tally.latency, x.to)};
  if (options.rate) lines.push_back(percentile_line("service time, from when it was sent", "b", tally.service, x.to));
  return svg_plot(x, log_axis(lines, log_time_label), "share of the requests that were faster", lines);
}

// Calls `add` with the middle of each interval in seconds. Leaves out an interval that the end of the run cut short:
// its rate would be too low.
void for_each_interval(Results const& results, std::function<void(double, TimeSeries::Interval const&)> const& add) {
  auto const& intervals = results.series.intervals();
  auto const length = results.series.interval_length();
  auto const whole = std::max<std::size_t>(static_cast<std::size_t>(results.duration / length), 1);
  for (std::size_t i = 0; i < std::min(intervals.size(), whole); ++i)
    add(seconds(length) * (static_cast<double>(i) + 0.5), intervals[i]);
}

std::string time_plot(Results const& results, Axis const& y, std::vector<Line> const& lines) {
  auto const span = std::max(seconds(results.duration), 1e-3);
  auto axis = linear_axis(span, seconds_label);
  axis.to = span;
  std::erase_if(axis.ticks, [&](auto const& tick) { return tick.first > span * 1.001; });
  return svg_plot(axis, y, "time", lines);
}

std::string rate_plot(Results const& results) {
  std::vector<Line> lines{{"right answers a second", "a", {}}, {"errors a second", "bad", {}}};
  auto const per_second = 1 / seconds(results.series.interval_length());
  double most = 0;
  for_each_interval(results, [&](double at, TimeSeries::Interval const& interval) {
    lines[0].points.emplace_back(at, static_cast<double>(interval.right) * per_second);
    lines[1].points.emplace_back(at, static_cast<double>(interval.errors) * per_second);
    most = std::max({most, lines[0].points.back().second, lines[1].points.back().second});
  });
  if (results.tally.errors() == 0) lines.pop_back();
  return time_plot(results, linear_axis(most, count_label), lines);
}

std::string latency_plot(Results const& results) {
  std::vector<Line> lines{{"median", "a", {}}, {"99th percentile", "b", {}}, {"slowest", "c", {}}};
  for_each_interval(results, [&](double at, TimeSeries::Interval const& interval) {
    auto const& latency = interval.latency;
    if (latency.count() == 0) return;
    lines[0].points.emplace_back(at, milliseconds(latency.percentile(0.5)));
    lines[1].points.emplace_back(at, milliseconds(latency.percentile(0.99)));
    lines[2].points.emplace_back(at, milliseconds(latency.max()));
  });
  return time_plot(results, log_axis(lines, log_time_label), lines);
}

std::string distribution_row(char const* name, Histogram const& histogram) {
  auto row = fmt::format("<tr><td>{}</td><td>{}</td>", name, figure(histogram, histogram.min()));
  for (double const share : {0.5, 0.9, 0.99, 0.999})
    row += fmt::format("<td>{}</td>", figure(histogram, histogram.percentile(share)));
  auto const mean = std::chrono::duration_cast<std::chrono::nanoseconds>(histogram.mean());
  return row +
         fmt::format("<td>{}</td><td>{}</td></tr>\n", figure(histogram, histogram.max()), figure(histogram, mean));
}

std::string distribution_table(Options const& options, Results const& results) {
  std::string html =
      "<table><tr><th></th><th>least</th><th>50 %</th><th>90 %</th><th>99 %</th><th>99.9 "
      "%</th><th>most</th><th>mean</th></tr>\n";
  html += distribution_row("latency", results.tally.latency);
  if (options.rate) html += distribution_row("service time", results.tally.service);
  if (options.overload_status) html += distribution_row("too much to do", results.tally.overload);
  return html + "</table>\n";
}

std::string errors_table(Results const& results) {
  auto const kinds = results.tally.errors_by_kind();
  if (kinds.empty()) return "<p>Nothing: every answer was checked.</p>\n";
  std::string html = "<table><tr><th>kind</th><th>requests</th></tr>\n";
  for (auto const& kind : kinds)
    html += fmt::format("<tr><td>{}: {}</td><td>{}</td></tr>\n", html_escaped(kind.name),
                        html_escaped(kind.with_reason(kind.meaning)), readable(kind.count));
  return html + "</table>\n";
}

std::string shell_word(std::string const& word) {
  auto const plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("-_./:=,%@+").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string quoted = "'";
  for (char const c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// The machine on which the generator runs.
std::string machine() {
  std::string processor = "unknown processor";
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("model name")) processor = line.substr(line.find(':') + 2);
  utsname system{};
  uname(&system);
  return fmt::format("{}, {} cores for the generator, {} {} {}", processor, available_cores(), system.sysname,
                     system.release, system.machine);
}

std::string origin(Options const& options, Results const& results) {
  std::string command;
  for (auto const& word : options.command) command += (command.empty() ? "" : " ") + shell_word(word);
  auto const row = [](char const* name, std::string const& value) {
    return fmt::format("<tr><td>{}</td><td class=\"text\">{}</td></tr>\n", name, html_escaped(value));
  };
  return "<table>\n" + row("command", command) +
         row("when", fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(results.when))) + row("machine", machine()) +
         "</table>\n";
}

}  // namespace

std::string html_report(Options const& options, Results const& results) {
  auto const title = html_escaped(options.url_text);
  std::string html = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n";
  html += "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" + title + "</title>\n<style>" + style +
          "</style>\n";
  html += "<h1>Load test</h1>\n<p>GET <b>" + title + "</b></p>\n";
  html += paragraph("soft", fmt::format("Load: {}. {:.1f} s were counted, after {:g} s of warm-up.", load(options),
                                        seconds(results.duration), seconds(options.warmup)));
  html += verdict(options, results) + tiles(options, results);
  if (results.tally.right > 0) {
    html += "<h2>How long did requests take?</h2>\n";
    html += paragraph("soft",
                      "Read it from the left: half of the requests were faster than the line at 50 %, all but one of a "
                      "hundred faster than at 99 %. Both axes are logarithmic.");
    if (options.rate)
      html += paragraph("soft",
                        "Latency runs from when a request was due by the schedule, service time from when it was sent. "
                        "Where they part, requests had to wait for the server, or for the generator, before they were "
                        "sent at all.");
    html += percentile_plot(options, results) + distribution_table(options, results);
    html += "<h2>How did latency change meanwhile?</h2>\n";
    html += paragraph("soft",
                      "Of each moment the median, the slowest of a hundred and the slowest of all; the axis is "
                      "logarithmic.");
    html += latency_plot(results);
  }
  html += "<h2>How many were answered, second by second?</h2>\n";
  html += paragraph("soft",
                    "A steady server draws a level line; a dip is a time in which it, or this machine, was held up.");
  html += rate_plot(results);
  html += "<h2>What went wrong?</h2>\n" + errors_table(results);
  html += "<h2>Where this comes from</h2>\n" + origin(options, results);
  return html + "</html>\n";
}

}  // namespace deployd::bench
