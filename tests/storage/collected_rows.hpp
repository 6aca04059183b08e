// Rows as a test compares them.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.hpp"

namespace deployd::storage {

struct Row {
  std::int64_t id;
  std::int64_t pattern_id;
  std::string name;
  bool operator==(Row const&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, Row const& row) {
  return out << '{' << row.id << ", " << row.pattern_id << ", " << row.name << '}';
}

class CollectedRows final : public RowSink {
 public:
  bool row(std::int64_t id, std::int64_t pattern_id, std::string_view name) override {
    rows.push_back({id, pattern_id, std::string(name)});
    return true;
  }
  std::vector<Row> rows;
};

}  // namespace deployd::storage
