// Estimates how many rows a store has, without reading all of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/database_url.hpp"

namespace deployd::storage {

struct RowEstimate {
  enum class Kind {
    exact,
    about,      // PostgreSQL's estimate when it last analyzed the table
    at_most,    // the range of ids has room for no more
    more_than,  // nothing else is known
  } kind = Kind::exact;
  std::int64_t rows = 0;
};

struct StoreSize {
  RowEstimate patterns;
  RowEstimate deployments;
};

/// Reads deployd's own tables. Reads a limited number of rows, whatever their size: tables of up to 10,000 rows are
/// counted. Throws `Error`.
StoreSize estimate_size(DatabaseUrl const& url);

/// Returns text such as `about 1000000 deployments` or `1 pattern`. `noun` is in the singular.
std::string to_text(RowEstimate const& estimate, std::string_view noun);

}  // namespace deployd::storage
