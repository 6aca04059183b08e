// Writes deployments as JSON while the store returns them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/filter.hpp"
#include "storage/store.hpp"

namespace deployd::routing {

/// Appends `{"id":1,"pattern_id":1,"name":"..."}`; without a name it is `null`.
void append_deployment(std::string& out, std::int64_t id, std::int64_t pattern_id,
                       std::optional<std::string_view> name);

/// Appends `{"id":1,"name":"..."}`.
void append_pattern(std::string& out, std::int64_t id, std::optional<std::string_view> name);

/// Writes the rows of a query as the elements of a JSON array, without its brackets.
class JsonRows final : public storage::RowSink {
 public:
  /// `out` must outlive this object and may be emptied between rows. It is full when it contains `enough` bytes: names
  /// may be long, so limiting the number of rows is not sufficient.
  JsonRows(std::string& out, std::size_t enough, storage::Table table = storage::Table::deployments)
      : out_(out), enough_(enough), table_(table) {}

  bool row(std::int64_t id, std::int64_t pattern_id, std::optional<std::string_view> name) override;

  std::int64_t last_id() const noexcept { return last_id_; }

 private:
  std::string& out_;
  std::size_t enough_;
  storage::Table table_;
  std::int64_t last_id_ = 0;
  bool first_ = true;
};

}  // namespace deployd::routing
