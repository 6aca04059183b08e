#include <utility>
#include <variant>

#include "storage/database.hpp"
#include "storage/postgresql/store.hpp"
#include "storage/schema/schema.hpp"
#include "storage/sqlite/store.hpp"

namespace deployd::storage {

std::unique_ptr<Database> open_database(DatabaseOptions options) {
  require_current_schema(options.url, options.relations);
  bool const postgresql = std::holds_alternative<PostgresqlUrl>(options.url);
  return postgresql ? open_postgresql_database(std::move(options)) : open_sqlite_database(std::move(options));
}

}  // namespace deployd::storage
