// Selects the rows of a list.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace deployd::storage {

/// The table of a list. For patterns only `name`, `id_greater_than`, `limit` and `skip` are used.
enum class Table : std::uint8_t { deployments, patterns };

/// All conditions that are set must hold. Results are always in ascending order of id.
struct Filter {
  Table table = Table::deployments;
  std::optional<std::string> pattern = {};  // the exact name of the pattern
  std::optional<std::int64_t> pattern_id = {};
  std::optional<std::string> name = {};  // the exact name of the row
  std::optional<std::int64_t> id_greater_than = {};
  std::optional<std::uint64_t> limit = {};  // maximum number of rows, after skipping; may be 0
  std::uint64_t skip = 0;                   // number of rows to skip first
};

}  // namespace deployd::storage
