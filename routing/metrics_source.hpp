// The source of the numbers on /metrics.
#pragma once

#include <string>
#include <string_view>

namespace deployd::routing {

enum class MetricsFormat {
  prometheus,   // text format 0.0.4
  openmetrics,  // OpenMetrics 1.0
};

constexpr std::string_view content_type(MetricsFormat format) noexcept {
  return format == MetricsFormat::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                              : "text/plain; version=0.0.4; charset=utf-8";
}

/// The metrics of the whole process, which routing cannot access.
class MetricsSource {
 public:
  /// Returns the whole document. Called on the admin thread.
  virtual std::string render(MetricsFormat format) const = 0;

 protected:
  ~MetricsSource() = default;
};

}  // namespace deployd::routing
