// Many deployments, the same ones every time, as `import` takes them and `export --format ndjson` writes them.
#pragma once

#include <cstdint>
#include <filesystem>

namespace deployd::tests {

/// `deployments` rows spread evenly over `patterns` patterns, both with ids from 1.
struct LargeData {
  std::int64_t patterns;
  std::int64_t deployments;

  std::int64_t pattern_of(std::int64_t deployment) const noexcept { return 1 + (deployment - 1) % patterns; }

  /// Writes them as NDJSON; throws std::runtime_error when the file cannot be written.
  void write_to(std::filesystem::path const& file) const;
};

}  // namespace deployd::tests
