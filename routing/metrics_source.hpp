// The source of the numbers on /metrics.
#pragma once

#include <string>

namespace deployd::routing {

enum class MetricsFormat {
  prometheus,   // text format 0.0.4
  openmetrics,  // OpenMetrics 1.0
};

/// The metrics of the whole process, which routing cannot access.
class MetricsSource {
 public:
  /// Returns the whole document. Called on the admin thread.
  virtual std::string render(MetricsFormat format) const = 0;

 protected:
  ~MetricsSource() = default;
};

}  // namespace deployd::routing
