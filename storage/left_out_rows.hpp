// Rows of the store that are not valid deployments or patterns. They are left out of every response, and counted.
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

#include "storage/relation_name.hpp"

namespace deployd::storage {

/// The column that makes a row invalid: its value is not a 64-bit integer.
enum class BadColumn : std::uint8_t { deployment_id, deployment_pattern_id, pattern_id };
inline constexpr std::size_t bad_columns = 3;

/// Returns the name of the column in its table.
std::string_view column_name(BadColumn column) noexcept;
bool is_of_patterns(BadColumn column) noexcept;

/// An example of such a row, for the log.
struct LeftOutRow {
  BadColumn column;
  std::optional<std::string_view> value;  // as text; nothing for NULL
  std::optional<std::int64_t> id = {};    // of the row, unless the id itself is wrong
};

/// Counts each omission of such a row from a response, and logs an example for each column, at most every ten minutes.
/// Safe to use from any thread.
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
