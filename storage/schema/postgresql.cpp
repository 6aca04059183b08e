#include <soci/soci.h>
#include <spdlog/spdlog.h>

#include <string>

#include "storage/error.hpp"
#include "storage/schema/column_types.hpp"
#include "storage/schema/found_schema.hpp"
#include "storage/schema/privileges.hpp"
#include "storage/session/session.hpp"
#include "storage/transaction.hpp"

namespace deployd::storage {
namespace {

/// The catalog's information about the schema `deployd`. Reading it needs no privilege.
struct Catalog {
  bool schema = false;         // the schema exists
  bool usable = false;         // the schema exists and this role may use it
  bool creatable = false;      // this role may create the schema, or tables in it if it exists
  bool version_table = false;  // schema_version exists
  bool tables = false;         // any table exists
};

Catalog read_catalog(soci::session& sql) {
  int schema = 0;
  int usable = 0;
  int creatable = 0;
  int version_table = 0;
  int tables = 0;
  sql << "SELECT count(n.oid)::int, coalesce(bool_or(has_schema_privilege(n.oid, 'USAGE')), false)::int, "
         "coalesce(bool_or(has_schema_privilege(n.oid, 'CREATE')), "
         "has_database_privilege(current_database(), 'CREATE'))::int, "
         "(SELECT count(*) FROM pg_class c WHERE c.relnamespace = min(n.oid::oid::bigint)::oid "
         "AND c.relname = 'schema_version' AND c.relkind = 'r')::int, "
         "least((SELECT count(*) FROM pg_class c WHERE c.relnamespace = min(n.oid::oid::bigint)::oid "
         "AND c.relkind IN ('r', 'v', 'm', 'p', 'f')), 1)::int "
         "FROM pg_namespace n WHERE n.nspname = 'deployd'",
      soci::into(schema), soci::into(usable), soci::into(creatable), soci::into(version_table), soci::into(tables);
  return {schema != 0, usable != 0, creatable != 0, version_table != 0, tables != 0};
}

FoundSchema find_in_postgresql(soci::session& sql, DatabaseUrl const& url, Catalog const& catalog) {
  if (!catalog.version_table) return {0, catalog.tables};
  // A role that may not even read the version is probably new: the error lists all privileges that serving needs.
  if (!missing_grants(sql, {{"deployd.schema_version", "SELECT"}}).empty())
    require_privileges(sql, url,
                       {{"deployd.schema_version", "SELECT"},
                        {"deployd.patterns", "SELECT"},
                        {"deployd.deployments", "SELECT"},
                        {"deployd.api_tokens", "SELECT"}});
  FoundSchema found;
  sql << "SELECT coalesce(max(version), 0) FROM deployd.schema_version", soci::into(found.version);
  return found;
}

void warn_about_missing_tables(DatabaseUrl const& url) {
  spdlog::warn("{}: this role may not create or use the schema 'deployd': API tokens cannot be stored or checked",
               describe(url));
}

/// True if deployd runs without tables of its own, which only tables of another program permit.
bool goes_without_tables(Catalog const& catalog, Relations const& relations) {
  return relations.foreign() && !(catalog.version_table ? catalog.usable : catalog.creatable);
}

void require_schema_creation(soci::session& sql, DatabaseUrl const& url) {
  std::string grant;
  sql << "SELECT CASE WHEN has_database_privilege(current_database(), 'CREATE') THEN '' ELSE 'GRANT CREATE ON DATABASE "
         "' "
         "|| quote_ident(current_database()) || ' TO ' || quote_ident(current_user) END",
      soci::into(grant);
  if (!grant.empty())
    throw Error(errc::forbidden, describe(url) +
                                     ": permission denied to create the schema deployd; run as the owner of "
                                     "the database: " +
                                     grant);
}

}  // namespace

MigrationReport migrate_postgresql(PostgresqlUrl const& url, Relations const& relations,
                                   std::span<Migration const> migrations) {
  auto const last = last_version(migrations);
  auto const session = open_session(url, Access::create);
  auto& sql = *session;
  if (relations.foreign()) require_columns(sql, url, relations);

  // Processes that migrate at the same time take turns. The lock is released with the transaction.
  Transaction transaction(sql, "BEGIN");
  sql << "SELECT pg_advisory_xact_lock(hashtext('deployd schema'))";
  auto const catalog = read_catalog(sql);
  if (goes_without_tables(catalog, relations)) {
    warn_about_missing_tables(url);
    return {0, 0};
  }
  auto const found = find_in_postgresql(sql, url, catalog);
  require_upgradable(url, found, last);
  if (found.version == last) return {last, last};

  if (!catalog.schema) {
    require_schema_creation(sql, url);
    sql << "CREATE SCHEMA deployd";
  }
  if (!catalog.version_table)
    sql << "CREATE TABLE deployd.schema_version (version int PRIMARY KEY, "
           "applied timestamptz NOT NULL DEFAULT now())";
  for (auto const& migration : migrations) {
    if (migration.version <= found.version) continue;
    for (auto const statement : migration.postgresql) sql << statement;
    sql << "INSERT INTO deployd.schema_version (version) VALUES (" << migration.version << ")";
  }
  transaction.commit();
  return {found.version, last};
}

void require_postgresql(PostgresqlUrl const& url, Relations const& relations, int current) {
  auto const session = open_session(url, Access::read);
  auto& sql = *session;
  if (relations.foreign()) require_columns(sql, url, relations);
  auto const catalog = read_catalog(sql);
  if (goes_without_tables(catalog, relations)) return warn_about_missing_tables(url);
  require_version(url, find_in_postgresql(sql, url, catalog), current);
}

bool may_have_own_tables_in_postgresql(PostgresqlUrl const& url, Relations const& relations) {
  auto const session = open_session(url, Access::read);
  return !goes_without_tables(read_catalog(*session), relations);
}

}  // namespace deployd::storage
