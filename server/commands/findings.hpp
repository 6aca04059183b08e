// The findings of `deployd check`, as a table.
#pragma once

#include <string>
#include <vector>

namespace deployd::server {

/// One line of the table.
struct Finding {
  std::string item;    // what was checked, such as `store`
  std::string text;    // the finding
  std::string remedy;  // what to do about it; empty if all is well
};

/// Returns the item, state and text of each finding in columns, with a line for the remedy after it. The state is `ok`
/// or `look`.
std::string to_table(std::vector<Finding> const& findings);

}  // namespace deployd::server
