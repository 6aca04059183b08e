// Who knows what /metrics shows.
#pragma once

#include <string>

namespace deployd::routing {

enum class MetricsFormat {
  prometheus,   // text format 0.0.4
  openmetrics,  // OpenMetrics 1.0
};

/// The numbers of the whole process, which routing does not know.
class MetricsSource {
 public:
  /// The whole document. Called on the admin thread.
  virtual std::string render(MetricsFormat format) const = 0;

 protected:
  ~MetricsSource() = default;
};

}  // namespace deployd::routing
