// Line plots as inline SVG.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace deployd::bench {

/// An axis: the values at its ends, and its labels. On a logarithmic axis all values must be above 0.
struct Axis {
  double from = 0;
  double to = 1;
  bool logarithmic = false;
  std::vector<std::pair<double, std::string>> ticks;
};

struct Line {
  std::string name;
  std::string colour;  // a CSS class: a, b, c or bad
  std::vector<std::pair<double, double>> points;
};

using Label = std::string (*)(double);

/// Returns an axis from 0 to a value not below `most`, with about five ticks.
Axis linear_axis(double most, Label label);

/// Returns a logarithmic axis from and to powers of ten that hold the y of all points.
Axis log_axis(std::vector<Line> const& lines, Label label);

/// Returns an `<svg>` element with axes, grid, lines and a legend. Its colours are defined by the page's style sheet.
std::string svg_plot(Axis const& x, Axis const& y, std::string const& x_title, std::vector<Line> const& lines);

/// Returns the text escaped for HTML and SVG.
std::string html_escaped(std::string const& text);

}  // namespace deployd::bench
