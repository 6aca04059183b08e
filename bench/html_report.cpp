#include "bench/html_report.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

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
.grid { stroke: var(--line); } .line { fill: none; stroke-width: 2; stroke-linejoin: round; } .bars { stroke-width: 3; }
.a { stroke: var(--a); } .b { stroke: var(--b); } .c { stroke: var(--c); } .bad { stroke: var(--bad); }
table { border-collapse: collapse; margin-top: 8px; } td, th { padding: 4px 22px 4px 0; text-align: right; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; } td:first-child, th:first-child { text-align: left; } th { color: var(--soft); font-weight: 500; }
td.text { text-align: left; overflow-wrap: anywhere; } code { font-size: 13px; overflow-wrap: anywhere; }
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

std::string tile(std::string const& value, std::string const& what) {
  return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", value, what);
}

std::string load(Options const& options, Results const& results) {
  auto text =
      options.rate
          ? fmt::format("Requests went out on schedule, {} a second, whatever the server did (an open loop), over",
                        readable(static_cast<std::uint64_t>(std::llround(*options.rate))))
          : std::string("Each connection sent its next request as soon as it had its answer (a closed loop):");
  text += fmt::format(" {} connection{}", readable(std::uint64_t{options.connections}),
                      options.connections == 1 ? "" : "s");
  if (options.pipeline > 1) text += fmt::format(", {} requests in flight on each", options.pipeline);
  if (options.new_connections) text += ", opened anew for each request";
  if (options.url.secure)
    text += fmt::format(", over TLS ({} handshakes, {} of them resumed)", readable(results.tally.handshakes),
                        readable(results.tally.resumed));
  return text + fmt::format(". {:.1f} s were counted, after {:g} s of warm-up.", seconds(results.duration),
                            seconds(options.warmup));
}

std::string in_words(Options const& options, std::string const& kind) {
  if (kind == "body") return "the body is not the expected one";
  if (kind == "json") return "a JSON body that does not parse";
  if (kind == "malformed") return "not an HTTP answer";
  if (kind == "closed") return "the server closed the connection before the answer was complete";
  if (kind == "reset") return "the connection was reset";
  if (kind == "timeout") return "no answer in time";
  if (kind == "refused") return "the connection was refused";
  if (kind == "unreachable") return "no connection";
  if (kind == "no_port") return "this machine ran out of local ports";
  if (kind == "tls") return "no TLS handshake";
  if (kind == "certificate") return "the certificate is not trusted";
  return fmt::format("an answer with status {} in place of {}", kind, options.expect_status);
}

std::string meaning(Options const& options, Tally const& tally, std::string const& kind) {
  auto const reasoned = tally.with_reason(kind);
  return in_words(options, kind) + reasoned.substr(kind.size());
}

std::string sentence(std::string const& text) {
  return fmt::format("{}{}.", static_cast<char>(std::toupper(static_cast<unsigned char>(text.front()))),
                     text.substr(1));
}

std::string verdict(Options const& options, Results const& results) {
  auto const errors = results.tally.errors();
  auto const missing = unsent(options, results);
  if (errors == 0 && !missing.empty()) return "<p class=\"verdict bad\">" + html_escaped(sentence(missing)) + "</p>\n";
  if (errors == 0 && results.tally.right > 0)
    return fmt::format("<p class=\"verdict good\">All {} answers were right.</p>\n", readable(results.tally.right));
  if (errors == 0) return "<p class=\"verdict bad\">No answer was right.</p>\n";
  return fmt::format("<p class=\"verdict bad\">{} of {} requests got no right answer; most often: {}.</p>\n",
                     readable(errors), readable(errors + results.tally.right),
                     html_escaped(meaning(options, results.tally, results.tally.commonest_error())));
}

std::string remarks(Options const& options, Results const& results) {
  std::string html;
  if (results.interrupted) html += "<p class=\"verdict bad\">Stopped early by a signal.</p>\n";
  if (results.gave_up) html += "<p class=\"verdict bad\">Stopped early: the server was gone.</p>\n";
  if (results.tally.errors() > 0 && results.tally.skipped > 0)
    html += "<p class=\"verdict bad\">" + html_escaped(sentence(unsent(options, results))) + "</p>\n";
  if (results.generator_cpu > generator_limit)
    html +=
        "<p class=\"verdict bad\">The load generator used all of its CPU time: these numbers measure it rather than "
        "the "
        "server.</p>\n";
  return html;
}

std::string tiles(Options const& options, Results const& results) {
  auto const& tally = results.tally;
  auto html = std::string("<div class=\"tiles\">\n");
  bool const measured = results.duration.count() > 0;
  html += tile(measured ? count_label(results.rate()) : nothing, "right answers a second");
  auto const latency = [&](double share) { return figure(tally.latency, tally.latency.percentile(share)); };
  html += tile(latency(0.5), "median latency: half took less");
  html += tile(latency(0.99), "99th percentile: 99 of 100 took less");
  html += tile(readable(tally.errors()), "errors");
  if (options.overload_status)
    html += tile(readable(tally.overload.count()),
                 fmt::format("answers with {}: too much to do", *options.overload_status));
  if (options.rate) html += tile(readable(tally.late), "sent late: no connection was free");
  html += tile(measured ? fmt::format("{:.0f} %", results.generator_cpu * 100) : nothing,
               "of the generator's CPU time used");
  return html + "</div>\n";
}

// The x axis shows how rare a latency is: each step to the right is a tenth of the requests before it.
Line percentile_line(std::string name, std::string colour, Histogram const& histogram) {
  Line line{std::move(name), std::move(colour), {}, false};
  auto const count = static_cast<double>(histogram.count());
  for (double rarity = 1; rarity <= std::min(count, 1e6); rarity *= 1.1)
    line.points.emplace_back(rarity, milliseconds(histogram.percentile(1 - 1 / rarity)));
  line.points.emplace_back(std::min(count, 1e6), milliseconds(histogram.percentile(1 - 1 / std::min(count, 1e6))));
  return line;
}

std::string percentile_plot(Options const& options, Results const& results) {
  auto const& tally = results.tally;
  if (tally.right == 0) return "<p class=\"soft\">There was no right answer to plot.</p>\n";
  Axis x{1, 10, true, {{1, "0 %"}, {2, "50 %"}, {10, "90 %"}}};
  double rarity = 100;
  for (char const* label : {"99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %"}) {
    if (rarity > static_cast<double>(tally.right)) break;
    x.to = rarity;
    x.ticks.emplace_back(rarity, label);
    rarity *= 10;
  }
  std::vector<Line> lines{
      percentile_line(options.rate ? "latency, from when it was due" : "latency", "a", tally.latency)};
  if (options.rate) lines.push_back(percentile_line("service time, from when it was sent", "b", tally.service));
  double least = 1e9, most = 0;
  for (auto& line : lines) {
    std::erase_if(line.points, [&](auto const& point) { return point.first > x.to; });
    for (auto const& [unused, value] : line.points) {
      least = std::min(least, std::max(value, 1e-3));
      most = std::max(most, value);
    }
  }
  return svg_plot(x, axis_for(least, most, true, log_time_label), "share of the requests that were faster", lines);
}

double middle(TimeSeries const& series, std::size_t interval) {
  return seconds(series.interval_length()) * (static_cast<double>(interval) + 0.5);
}

Axis time_axis(Results const& results) {
  auto const span = std::max(seconds(results.duration), 1e-3);
  auto axis = axis_for(0, span, false, seconds_label);
  axis.to = span;
  std::erase_if(axis.ticks, [&](auto const& tick) { return tick.first > span * 1.001; });
  return axis;
}

// Leaves out an interval that the end of the run cut short: its rate would be too low.
std::size_t whole_intervals(Results const& results) {
  auto const& series = results.series;
  auto const whole = static_cast<std::size_t>(results.duration / series.interval_length());
  return std::min(series.intervals().size(), std::max<std::size_t>(whole, 1));
}

std::string rate_plot(Results const& results) {
  auto const& series = results.series;
  Line right{"right answers a second", "a", {}, false}, errors{"errors a second", "bad", {}, true};
  double most = 0;
  for (std::size_t i = 0; i < whole_intervals(results); ++i) {
    auto const per_second = 1 / seconds(series.interval_length());
    auto const& interval = series.intervals()[i];
    right.points.emplace_back(middle(series, i), static_cast<double>(interval.right) * per_second);
    if (interval.errors > 0)
      errors.points.emplace_back(middle(series, i), static_cast<double>(interval.errors) * per_second);
    most = std::max(
        {most, static_cast<double>(interval.right) * per_second, static_cast<double>(interval.errors) * per_second});
  }
  std::vector<Line> lines{right};
  if (!errors.points.empty()) lines.insert(lines.begin(), errors);
  return svg_plot(time_axis(results), axis_for(0, most, false, count_label), "time", lines);
}

std::string latency_plot(Results const& results) {
  auto const& series = results.series;
  Line median{"median", "a", {}, false}, rare{"99th percentile", "b", {}, false}, worst{"slowest", "c", {}, false};
  double least = 1e9, most = 0;
  for (std::size_t i = 0; i < whole_intervals(results); ++i) {
    auto const& latency = series.intervals()[i].latency;
    auto const at = middle(series, i);
    if (latency.count() == 0) {
      for (auto* const line : {&median, &rare, &worst}) line->points.emplace_back(at, std::nan(""));
      continue;
    }
    auto const add = [&](Line& line, std::chrono::nanoseconds value) {
      line.points.emplace_back(at, std::max(milliseconds(value), 1e-3));
      least = std::min(least, line.points.back().second);
      most = std::max(most, line.points.back().second);
    };
    add(median, latency.percentile(0.5));
    add(rare, latency.percentile(0.99));
    add(worst, latency.max());
  }
  if (most == 0) return "<p class=\"soft\">There was no right answer to plot.</p>\n";
  return svg_plot(time_axis(results), axis_for(least, most, true, log_time_label), "time", {median, rare, worst});
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

std::string errors_table(Options const& options, Results const& results) {
  auto const kinds = results.tally.errors_by_kind();
  if (kinds.empty())
    return results.tally.right > 0 ? "<p>Nothing: every answer was checked and right.</p>\n"
                                   : "<p>No answer was wrong, and none right.</p>\n";
  std::string html = "<table><tr><th>kind</th><th>requests</th></tr>\n";
  for (auto const& [kind, count] : kinds)
    html += fmt::format("<tr><td>{}: {}</td><td>{}</td></tr>\n", html_escaped(kind),
                        html_escaped(meaning(options, results.tally, kind)), readable(count));
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

std::string explanation(std::string const& text) {
  return "<p class=\"soft\">" + text + "</p>\n";
}

std::string origin(Options const& options, Results const& results) {
  std::string command;
  for (auto const& word : options.command) command += (command.empty() ? "" : " ") + shell_word(word);
  auto const row = [](char const* name, std::string const& value) {
    return fmt::format("<tr><td>{}</td><td class=\"text\">{}</td></tr>\n", name, value);
  };
  auto const when = std::chrono::time_point_cast<std::chrono::seconds>(results.when);
  std::string html = "<table>\n";
  html += row("command", "<code>" + html_escaped(command) + "</code>");
  html += row("when", fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(when))));
  html += row("machine", html_escaped(fmt::format("{}, {} core{} for the generator, {}", results.machine.processor,
                                                  results.machine.cores, results.machine.cores == 1 ? "" : "s",
                                                  results.machine.system)));
  html += row("generator", fmt::format("deployd-bench, {} thread{}", options.threads, options.threads == 1 ? "" : "s"));
  return html + "</table>\n";
}

}  // namespace

std::string html_report(Options const& options, Results const& results) {
  auto const title = html_escaped(options.url_text);
  std::string html = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n";
  html += "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" + title + "</title>\n<style>" + style +
          "</style>\n";
  html += "<h1>Load test</h1>\n<p>GET <b>" + title + "</b></p>\n<p class=\"soft\">" + load(options, results) + "</p>\n";
  html += verdict(options, results) + remarks(options, results) + tiles(options, results);
  html += "<h2>How long did requests take?</h2>\n";
  html += explanation(
      "Read it from the left: half of the requests were faster than the line at 50 %, all but one of a hundred faster "
      "than at "
      "99 %. Both axes are logarithmic.");
  if (options.rate)
    html += explanation(
        "Latency runs from when a request was due by the schedule, service time from when it was sent. Where they "
        "part, requests had to wait for the server, or for the generator, before they were sent at all.");
  html += percentile_plot(options, results);
  if (results.tally.right > 0) html += distribution_table(options, results);
  html += "<h2>How many were answered, second by second?</h2>\n";
  html += explanation("A steady server draws a level line; a dip is a time in which it, or this machine, was held up.");
  html += rate_plot(results);
  html += "<h2>How did latency change meanwhile?</h2>\n";
  html += explanation(
      "Of each moment the median, the slowest of a hundred and the slowest of all; the axis is logarithmic.");
  html += latency_plot(results);
  html += "<h2>What went wrong?</h2>\n" + errors_table(options, results);
  html += "<h2>Where this comes from</h2>\n" + origin(options, results);
  return html + "</html>\n";
}

}  // namespace deployd::bench
