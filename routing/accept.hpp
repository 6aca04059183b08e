// Chooses the form of a response by Accept and Accept-Encoding (RFC 9110 §12.5).
#pragma once

#include <array>
#include <string_view>

#include "routing/form.hpp"
#include "routing/metrics_source.hpp"

namespace deployd::routing {

/// The formats that the Accept fields of a request allow.
class AcceptedFormats {
 public:
  /// Reads the value of one field; several count as one list. A malformed value makes all of them count as absent.
  void read(std::string_view field) noexcept;

  /// Returns the format with the highest quality value. Among equals the one that is named more precisely precedes,
  /// then the order of `Format`. JSON if none is acceptable: deployd never sends a 406.
  Format best() const noexcept;

 private:
  /// How well a media range matches a format: 0 for `*/*`, 1 for `text/*`, 2 for `text/csv`, and more with parameters.
  struct Matched {
    int precision = -1;  // of the most precise range so far; -1 if there is none
    int quality = 0;     // its weight in thousandths
  };

  std::array<Matched, 3> formats_{};
  bool malformed_ = false;
};

/// Chooses the format of metrics by the value of Accept: OpenMetrics if it is listed with version 1.0.0, 0.0.1 or none,
/// and with at least the quality of text/plain. What follows a media range that is malformed is ignored.
MetricsFormat choose_metrics_format(std::string_view accept) noexcept;

/// The content codings that the Accept-Encoding fields of a request allow.
class AcceptedCodings {
 public:
  /// Reads the value of one field, as `AcceptedFormats::read` does. Names of codings that deployd does not have are
  /// skipped; `x-gzip` is `gzip`.
  void read(std::string_view field) noexcept;

  /// Sets the coding of `wanted` to the one with the highest quality value, and among equals to the first of `Coding`
  /// after `identity`. `identity` if none is acceptable.
  void choose(WantedForm& wanted) const noexcept;

 private:
  static constexpr int not_named = -1;

  int quality(Coding coding) const noexcept;

  // Weights in thousandths.
  std::array<int, all_codings.size()> named_{not_named, not_named, not_named, not_named};
  int others_ = not_named;  // `*`
  bool malformed_ = false;
};

}  // namespace deployd::routing
