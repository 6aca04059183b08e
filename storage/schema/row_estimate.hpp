// How many rows a store has, as far as that can be told at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/database_url.hpp"

namespace deployd::storage {

struct RowEstimate {
  enum class Kind {
    exact,
    about,      // what PostgreSQL has noted when it last analyzed the table
    at_most,    // the ids leave no room for more
    more_than,  // and nothing else is known
  } kind = Kind::exact;
  std::int64_t rows = 0;
};

struct StoreSize {
  RowEstimate patterns;
  RowEstimate deployments;
};

/// Looks at deployd's own tables. Reads a bounded number of rows, however many there are: tables of up to 10,000 rows
/// are counted. Throws `Error`.
StoreSize estimate_size(DatabaseUrl const& url);

/// As `about 1000000 deployments` or `1 pattern`; `noun` in the singular.
std::string to_text(RowEstimate const& estimate, std::string_view noun);

}  // namespace deployd::storage
