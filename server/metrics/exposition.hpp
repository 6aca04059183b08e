// Writes metrics in Prometheus' text format 0.0.4 or as OpenMetrics 1.0.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/duration_histogram.hpp"
#include "routing/metrics_source.hpp"

namespace deployd::server {

enum class MetricType { counter, gauge, histogram };
std::string_view to_string(MetricType type) noexcept;

/// One metric with all its label values. The name of a counter ends in `_total`; units such as seconds and bytes are
/// part of the name.
struct MetricFamily {
  std::string_view name;
  MetricType type;
  std::string_view help;  // one line
};

/// The labels of one sample, in output order.
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// A document being written: families one after the other, each followed by its samples.
class Exposition {
 public:
  explicit Exposition(routing::MetricsFormat format) noexcept : format_(format) {}

  /// Begins a family. The samples that follow belong to it.
  void begin(MetricFamily const& family);

  void sample(std::uint64_t value, Labels labels = {});
  void sample(double value, Labels labels = {});
  void sample(base::DurationReading const& reading, Labels labels = {});

  /// Writes a family with one sample that has no labels.
  template <typename Value>
  void single(MetricFamily const& family, Value value) {
    begin(family);
    sample(value);
  }

  std::string finish() &&;

 private:
  void append_name(std::string_view suffix, Labels labels, std::string_view bound = {});

  routing::MetricsFormat format_;
  std::string_view name_;
  std::string out_;
};

}  // namespace deployd::server
