#include "storage/schema/schema.hpp"

#include <soci/soci.h>

#include "storage/error.hpp"
#include "storage/schema/found_schema.hpp"
#include "storage/session/session.hpp"

namespace deployd::storage {
namespace {

void refuse_relations_on_sqlite(Relations const& relations) {
  if (relations.foreign())
    throw Error(errc::bad_database_url, "--patterns-relation and --deployments-relation need a PostgreSQL store");
}

}  // namespace

int current_schema_version() noexcept {
  return last_version(migrations());
}

MigrationReport migrate(DatabaseUrl const& url, Relations const& relations) {
  return migrate(url, relations, migrations());
}

MigrationReport migrate(DatabaseUrl const& url, Relations const& relations, std::span<Migration const> migrations) {
  return translating(url, [&] {
    if (auto const* postgresql = std::get_if<PostgresqlUrl>(&url))
      return migrate_postgresql(*postgresql, relations, migrations);
    refuse_relations_on_sqlite(relations);
    return migrate_sqlite(std::get<SqliteUrl>(url), migrations);
  });
}

void require_current_schema(DatabaseUrl const& url, Relations const& relations) {
  translating(url, [&] {
    auto const current = current_schema_version();
    if (auto const* postgresql = std::get_if<PostgresqlUrl>(&url))
      return require_postgresql(*postgresql, relations, current);
    refuse_relations_on_sqlite(relations);
    require_version(url, find_in_sqlite(std::get<SqliteUrl>(url)), current);
  });
}

void require_some_schema(SqliteUrl const& url) {
  translating(url, [&] {
    auto const found = find_in_sqlite(url);
    require_version(url, found, found.version);
  });
}

bool may_have_own_tables(DatabaseUrl const& url, Relations const& relations) {
  auto const* const postgresql = std::get_if<PostgresqlUrl>(&url);
  if (!relations.foreign() || postgresql == nullptr) return true;
  return translating(url, [&] { return may_have_own_tables_in_postgresql(*postgresql, relations); });
}

}  // namespace deployd::storage
