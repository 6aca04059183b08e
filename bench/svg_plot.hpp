// Line plots as inline SVG.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace deployd::bench {

/// An axis: the values at its ends, and where it is labelled. On a logarithmic axis all values must be above 0.
struct Axis {
  double from = 0;
  double to = 1;
  bool logarithmic = false;
  std::vector<std::pair<double, std::string>> ticks;
};

/// A point whose y is NaN leaves a gap.
struct Line {
  std::string name;
  std::string colour;  // a CSS class: a, b, c or bad
  std::vector<std::pair<double, double>> points;
  bool bars = false;  // thin bars from the bottom instead of a line
};

/// An axis from 0 (or, logarithmic, from the power of ten below `least`) to what holds `most`, with some ticks, whose
/// labels `label` makes.
Axis axis_for(double least, double most, bool logarithmic, std::string (*label)(double));

/// An `<svg>` element with axes, grid, lines and a legend. Its colours come from the page's style sheet.
std::string svg_plot(Axis const& x, Axis const& y, std::string const& x_title, std::vector<Line> const& lines);

/// The text with what HTML and SVG want escaped.
std::string html_escaped(std::string const& text);

}  // namespace deployd::bench
