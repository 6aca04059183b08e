// What --admin-listen serves, read by tests.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tests/integration/running_deployd.hpp"

namespace deployd::tests {

/// The port of --admin-listen, from the log of a server that was told `--admin-listen 127.0.0.1:0`.
std::uint16_t admin_port(RunningDeployd& server);

/// A document of metrics taken apart.
class Metrics {
 public:
  struct Family {
    std::string type;
    std::string help;
  };

  explicit Metrics(std::string const& document);

  /// Asks for them. Throws when the answer is no 200.
  static Metrics of(std::uint16_t admin_port);

  /// The value of a sample, named as it stands in the document: `name{a="b"}`. Throws when there is none.
  double operator[](std::string const& sample) const;
  bool has(std::string const& sample) const { return samples_.contains(sample); }

  /// All families, by the names on their TYPE lines.
  std::map<std::string, Family> const& families() const noexcept { return families_; }
  std::map<std::string, double> const& samples() const noexcept { return samples_; }

 private:
  std::map<std::string, Family> families_;
  std::map<std::string, double> samples_;
};

}  // namespace deployd::tests
