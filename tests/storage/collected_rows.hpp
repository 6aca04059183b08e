// Rows as a test compares them.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.hpp"

namespace deployd::storage {

struct Row {
  std::int64_t id;
  std::int64_t pattern_id;
  std::optional<std::string> name;
  bool operator==(Row const&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, Row const& row) {
  return out << '{' << row.id << ", " << row.pattern_id << ", " << row.name.value_or("NULL") << '}';
}

class CollectedRows final : public RowSink {
 public:
  bool row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) override {
    rows.push_back({id, pattern_id, name ? std::optional(std::string(*name)) : std::nullopt});
    return true;
  }
  std::vector<Row> rows;
};

}  // namespace deployd::storage
