#include "server/commands/findings.hpp"

#include <fmt/format.h>

#include <string_view>

namespace deployd::server {
namespace {

constexpr std::string_view row = "{:<13} {:<5} {}\n";

}  // namespace

std::string to_table(std::vector<Finding> const& findings) {
  auto table = fmt::format(row, "ITEM", "STATE", "FOUND");
  for (auto const& finding : findings) {
    table += fmt::format(row, finding.item, finding.remedy.empty() ? "ok" : "look", finding.text);
    if (!finding.remedy.empty()) table += fmt::format(row, "", "", "remedy: " + finding.remedy);
  }
  return table;
}

}  // namespace deployd::server
