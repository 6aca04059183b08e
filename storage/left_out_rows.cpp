#include "storage/left_out_rows.hpp"

#include <spdlog/spdlog.h>

namespace deployd::storage {
namespace {

constexpr std::chrono::minutes between_lines{10};

// Long enough to find the value in the table.
constexpr std::size_t longest_example = 40;

std::string in_words(std::optional<std::string_view> value) {
  if (!value) return "is NULL";
  if (value->size() <= longest_example) return "is '" + std::string(*value) + "'";
  return "begins with '" + std::string(value->substr(0, longest_example)) + "'";
}

}  // namespace

std::string_view column_name(BadColumn column) noexcept {
  return column == BadColumn::deployment_pattern_id ? "pattern_id" : "id";
}

bool is_of_patterns(BadColumn column) noexcept {
  return column == BadColumn::pattern_id;
}

void LeftOutRows::add(LeftOutRow const& row) {
  auto const index = static_cast<std::size_t>(row.column);
  counts_[index].fetch_add(1, std::memory_order_relaxed);
  {
    std::scoped_lock const lock(mutex_);
    auto const now = Clock::now();
    if (named_[index] && now - *named_[index] < between_lines) return;
    named_[index] = now;
  }
  auto const& table = is_of_patterns(row.column) ? tables_.patterns : tables_.deployments;
  auto const which = row.id ? " of the row with id " + std::to_string(*row.id) : std::string(" of a row");
  spdlog::warn("{}: {}{} {}: rows without an integer of 64 bits there are left out; `deployd check` counts them", table,
               column_name(row.column), which, in_words(row.value));
}

std::uint64_t LeftOutRows::count(BadColumn column) const noexcept {
  return counts_[static_cast<std::size_t>(column)].load(std::memory_order_relaxed);
}

}  // namespace deployd::storage
