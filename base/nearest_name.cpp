#include "base/nearest_name.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace deployd::base {
namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Levenshtein's distance, without regard to case.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      auto const replaced = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest_name(std::string_view mistyped, std::span<std::string_view const> names) {
  std::string_view nearest;
  auto least = std::min<std::size_t>(3, mistyped.size() / 2 + 1);
  for (auto const name : names) {
    // The distance is at least the difference of the lengths. A client's text may be very long.
    if (std::max(mistyped.size(), name.size()) - std::min(mistyped.size(), name.size()) >= least) continue;
    auto const far = distance(mistyped, name);
    if (far >= least) continue;
    least = far;
    nearest = name;
  }
  return nearest;
}

}  // namespace deployd::base
