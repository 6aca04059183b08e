#include "storage/table_names.hpp"

#include <variant>

namespace deployd::storage {

TableNames table_names(DatabaseUrl const& url, Relations const& relations) {
  if (auto const* sqlite = std::get_if<SqliteUrl>(&url))
    return {sqlite->path + ": patterns", sqlite->path + ": deployments"};
  if (!relations.foreign()) return {"deployd.patterns", "deployd.deployments"};
  return {relations.patterns, relations.deployments};
}

}  // namespace deployd::storage
