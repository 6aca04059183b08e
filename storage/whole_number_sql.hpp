// SQL for columns of other programs on PostgreSQL, whose types and values are theirs.
#pragma once

#include <string>

namespace deployd::storage {

/// A condition that is true of integers of 64 bits, whether the column is an integer or numeric; false or NULL
/// otherwise. It raises no error whatever the column holds (NaN and infinity included).
inline std::string is_whole_number(std::string const& column) {
  return "(" + column + " % 1 = 0 AND " + column +
         " BETWEEN '-9223372036854775808'::bigint AND '9223372036854775807'::bigint)";
}

}  // namespace deployd::storage
