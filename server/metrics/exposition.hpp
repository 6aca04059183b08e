// Writes metrics in Prometheus' text format 0.0.4 or as OpenMetrics 1.0.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/duration_histogram.hpp"
#include "routing/metrics_source.hpp"

namespace deployd::server {

/// The labels of one sample, in output order.
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// A document being written: families one after the other, each followed by its samples. A family is one metric with
/// all its label values. Its name includes its unit, such as seconds or bytes; `help` is one line.
class Exposition {
 public:
  explicit Exposition(routing::MetricsFormat format) noexcept : format_(format) {}

  /// Begins the family of a counter, whose name ends in `_total`, or of a gauge. The samples that follow belong to it.
  void begin(std::string_view name, std::string_view help);

  /// Does the same for a histogram.
  void begin_histogram(std::string_view name, std::string_view help);

  void sample(std::uint64_t value, Labels labels = {});
  void sample(double value, Labels labels = {});
  void sample(base::DurationReading const& reading, Labels labels = {});

  /// Writes a family with one sample that has no labels.
  template <typename Value>
  void single(std::string_view name, std::string_view help, Value value) {
    if constexpr (std::is_same_v<Value, base::DurationReading>)
      begin_histogram(name, help);
    else
      begin(name, help);
    sample(value);
  }

  std::string finish() &&;

 private:
  void begin(std::string_view name, std::string_view family, std::string_view type, std::string_view help);
  void append_name(std::string_view suffix, Labels labels, std::string_view bound = {});

  routing::MetricsFormat format_;
  std::string_view name_;
  std::string out_;
};

}  // namespace deployd::server
