// Rows of the store that cannot be a deployment, or a pattern: left out of every answer, and counted.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "storage/table_names.hpp"

namespace deployd::storage {

/// The column that keeps a row from being what it should be: it holds no integer of 64 bits.
enum class BadColumn : std::uint8_t { deployment_id, deployment_pattern_id, pattern_id };
inline constexpr std::size_t bad_columns = 3;

/// The name of the column in its table.
std::string_view column_name(BadColumn column) noexcept;
bool is_of_patterns(BadColumn column) noexcept;

/// What such a row looks like, for the log.
struct LeftOutRow {
  BadColumn column;
  std::optional<std::string_view> value;  // as text; nothing for NULL
  std::optional<std::int64_t> id = {};    // of the row, when that is not what is wrong
};

/// Counts these rows each time an answer is made without one, and names one of each column in the log, at most every
/// ten minutes. Any thread.
class LeftOutRows {
 public:
  explicit LeftOutRows(TableNames tables) : tables_(std::move(tables)) {}

  void add(LeftOutRow const& row);

  std::uint64_t count(BadColumn column) const noexcept;
  TableNames const& tables() const noexcept { return tables_; }

 private:
  using Clock = std::chrono::steady_clock;

  TableNames tables_;
  std::array<std::atomic<std::uint64_t>, bad_columns> counts_{};
  std::mutex mutex_;
  std::array<std::optional<Clock::time_point>, bad_columns> named_;
};

}  // namespace deployd::storage
