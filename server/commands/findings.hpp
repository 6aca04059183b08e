// What `deployd check` has found, as a table.
#pragma once

#include <string>
#include <vector>

namespace deployd::server {

/// One line of the table.
struct Finding {
  std::string item;    // what was looked at, as `store`
  std::string text;    // what was found
  std::string remedy;  // what to do about it; empty: all is well
};

/// Item, state and text of each finding in columns, with a line for the remedy behind it. The state is `ok` or `look`.
std::string to_table(std::vector<Finding> const& findings);

}  // namespace deployd::server
