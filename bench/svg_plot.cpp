#include "bench/svg_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace deployd::bench {
namespace {

constexpr double width = 860, height = 300;
constexpr double left = 78, right = 34, top = 34, bottom = 46;

double share(Axis const& axis, double value) {
  auto const scaled = [&](double v) { return axis.logarithmic ? std::log10(v) : v; };
  auto const span = scaled(axis.to) - scaled(axis.from);
  auto const inside = std::clamp(value, axis.from, axis.to);
  return span > 0 ? (scaled(inside) - scaled(axis.from)) / span : 0;
}

double across(Axis const& x, double value) {
  return left + share(x, value) * (width - left - right);
}
double down(Axis const& y, double value) {
  return height - bottom - share(y, value) * (height - top - bottom);
}

std::string grid(Axis const& x, Axis const& y, std::string const& x_title) {
  std::string svg;
  for (auto const& [value, label] : y.ticks) {
    auto const at = down(y, value);
    svg += fmt::format(R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", left, width - right, at, at);
    svg += fmt::format(R"(<text x="{}" y="{:.1f}" text-anchor="end">{}</text>)", left - 8, at + 4, html_escaped(label));
  }
  for (auto const& [value, label] : x.ticks) {
    auto const at = across(x, value);
    svg += fmt::format(R"(<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>)", at, at, top, height - bottom);
    svg += fmt::format(R"(<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", at, height - bottom + 18,
                       html_escaped(label));
  }
  svg += fmt::format(R"(<text class="title" x="{}" y="{}" text-anchor="middle">{}</text>)", (left + width - right) / 2,
                     height - 6, html_escaped(x_title));
  return svg;
}

std::string drawn(Axis const& x, Axis const& y, Line const& line) {
  std::string path;
  for (auto const& [at, value] : line.points)
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? 'M' : 'L', across(x, at), down(y, value));
  return fmt::format(R"(<path class="line {}" d="{}"/>)", line.colour, path);
}

std::string legend(std::vector<Line> const& lines) {
  std::string svg;
  double at = left;
  for (auto const& line : lines) {
    svg += fmt::format(R"(<path class="line {}" d="M{} 16H{}"/><text x="{}" y="20">{}</text>)", line.colour, at,
                       at + 22, at + 28, html_escaped(line.name));
    at += 28 + 7.0 * static_cast<double>(line.name.size()) + 24;
  }
  return svg;
}

}  // namespace

Axis linear_axis(double most, Label label) {
  most = most > 0 ? most : 1;
  auto const power = std::pow(10, std::floor(std::log10(most / 5)));
  auto step = power;
  for (double const factor : {1.0, 2.0, 5.0, 10.0}) {
    step = power * factor;
    if (most / step <= 6) break;
  }
  Axis axis{0, std::ceil(most / step - 1e-9) * step, false, {}};
  for (int i = 0; i * step <= axis.to * 1.001; ++i) axis.ticks.emplace_back(i * step, label(i * step));
  return axis;
}

Axis log_axis(std::vector<Line> const& lines, Label label) {
  double least = 1e9, most = 1e-3;
  for (auto const& line : lines) {
    for (auto const& [unused, value] : line.points) {
      least = std::min(least, std::max(value, 1e-3));
      most = std::max(most, value);
    }
  }
  Axis axis{std::pow(10, std::floor(std::log10(std::min(least, most)))), 0, true, {}};
  axis.to = std::max(axis.from * 10, std::pow(10, std::ceil(std::log10(most) - 1e-9)));
  for (double tick = axis.from; tick <= axis.to * 1.001; tick *= 10) axis.ticks.emplace_back(tick, label(tick));
  return axis;
}

std::string svg_plot(Axis const& x, Axis const& y, std::string const& x_title, std::vector<Line> const& lines) {
  auto svg = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img">)", width, height);
  svg += grid(x, y, x_title);
  for (auto const& line : lines) svg += drawn(x, y, line);
  return svg + legend(lines) + "</svg>\n";
}

std::string html_escaped(std::string const& text) {
  std::string out;
  for (char const c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace deployd::bench
