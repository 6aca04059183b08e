#include "server/metrics/exposition.hpp"

#include <fmt/format.h>

#include <iterator>

namespace deployd::server {
namespace {

constexpr std::string_view total = "_total";

void append_escaped(std::string& out, std::string_view label_value) {
  for (char const c : label_value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

/// Returns the shortest decimal form that reads back as the same number; integers end in `.0`, as OpenMetrics requires
/// for bounds.
std::string to_decimal(double value) {
  auto text = fmt::format("{}", value);
  if (text.find_first_of(".en") == text.npos) text += ".0";
  return text;
}

double in_seconds(std::chrono::nanoseconds time) noexcept {
  return std::chrono::duration<double>(time).count();
}

std::string_view unit_of(std::string_view name) noexcept {
  if (name.ends_with("_seconds")) return "seconds";
  if (name.ends_with("_bytes")) return "bytes";
  return {};
}

}  // namespace

void Exposition::begin(std::string_view name, std::string_view help) {
  bool const counter = name.ends_with(total);
  // In OpenMetrics the family of a counter has a name without `_total`.
  auto const family =
      counter && format_ == routing::MetricsFormat::openmetrics ? name.substr(0, name.size() - total.size()) : name;
  begin(name, family, counter ? "counter" : "gauge", help);
}

void Exposition::begin_histogram(std::string_view name, std::string_view help) {
  begin(name, name, "histogram", help);
}

void Exposition::begin(std::string_view name, std::string_view family, std::string_view type, std::string_view help) {
  auto const put = std::back_inserter(out_);
  fmt::format_to(put, "# HELP {} {}\n# TYPE {} {}\n", family, help, family, type);
  if (auto const unit = unit_of(family); format_ == routing::MetricsFormat::openmetrics && !unit.empty())
    fmt::format_to(put, "# UNIT {} {}\n", family, unit);
  name_ = name;
}

void Exposition::append_name(std::string_view suffix, Labels labels, std::string_view bound) {
  out_ += name_;
  out_ += suffix;
  char before = '{';
  auto const append = [&](std::string_view label, std::string_view value) {
    out_ += std::exchange(before, ',');
    out_ += label;
    out_ += "=\"";
    append_escaped(out_, value);
    out_ += '"';
  };
  for (auto const& [label, value] : labels) append(label, value);
  if (!bound.empty()) append("le", bound);
  out_ += before == ',' ? "} " : " ";
}

void Exposition::sample(std::uint64_t value, Labels labels) {
  append_name({}, labels);
  fmt::format_to(std::back_inserter(out_), "{}\n", value);
}

void Exposition::sample(double value, Labels labels) {
  append_name({}, labels);
  fmt::format_to(std::back_inserter(out_), "{}\n", to_decimal(value));
}

void Exposition::sample(base::DurationReading const& reading, Labels labels) {
  auto const put = std::back_inserter(out_);
  std::uint64_t count = 0;
  for (std::size_t bucket = 0; bucket < reading.counts.size(); ++bucket) {
    count += reading.counts[bucket];
    bool const last = bucket == base::duration_bounds.size();
    append_name("_bucket", labels, last ? "+Inf" : to_decimal(in_seconds(base::duration_bounds[bucket])));
    fmt::format_to(put, "{}\n", count);
  }
  append_name("_sum", labels);
  fmt::format_to(put, "{}\n", to_decimal(in_seconds(reading.sum)));
  append_name("_count", labels);
  fmt::format_to(put, "{}\n", count);
}

std::string Exposition::finish() && {
  if (format_ == routing::MetricsFormat::openmetrics) out_ += "# EOF\n";
  return std::move(out_);
}

}  // namespace deployd::server
