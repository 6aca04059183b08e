// SQL for columns of other programs on PostgreSQL, which may have any type and value.
#pragma once

#include <string>

namespace deployd::storage {

/// Returns a condition that is true for 64-bit integers, whether the column is an integer or numeric; false or NULL
/// otherwise. It raises no error whatever the column contains (NaN and infinity included).
inline std::string is_whole_number(std::string const& column) {
  return "(" + column + " % 1 = 0 AND " + column +
         " BETWEEN '-9223372036854775808'::bigint AND '9223372036854775807'::bigint)";
}

}  // namespace deployd::storage
