// Selects the deployments of a list.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace deployd::storage {

/// All conditions that are set must hold. Results are always in ascending order of id.
struct Filter {
  std::optional<std::string> pattern = {};  // the exact name of the pattern
  std::optional<std::int64_t> pattern_id = {};
  std::optional<std::string> name = {};  // the exact name of the deployment
  std::optional<std::int64_t> id_greater_than = {};
  std::optional<std::uint64_t> limit = {};  // maximum number of rows, after skipping; may be 0
  std::uint64_t skip = 0;                   // number of rows to skip first
};

}  // namespace deployd::storage
