#include "storage/open_database.hpp"

#include <utility>

#include "storage/postgresql/store.hpp"
#include "storage/schema/schema.hpp"
#include "storage/sqlite/store.hpp"

namespace deployd::storage {

std::unique_ptr<Database> open_database(DatabaseOptions options) {
  require_current_schema(options.url, {options.patterns_relation, options.deployments_relation});
  if (std::holds_alternative<PostgresqlUrl>(options.url))
    return std::make_unique<PostgresqlDatabase>(std::move(options));
  return std::make_unique<SqliteDatabase>(std::move(options));
}

}  // namespace deployd::storage
