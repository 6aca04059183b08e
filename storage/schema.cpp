#include "storage/schema.hpp"

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <thread>

#include "storage/column_types.hpp"
#include "storage/error.hpp"
#include "storage/migrations.hpp"
#include "storage/privileges.hpp"
#include "storage/relation_name.hpp"
#include "storage/session.hpp"
#include "storage/transaction.hpp"

namespace deployd::storage {
namespace {

/// What stands in a store: a version of deployd's schema (0: nothing at all), or something else.
struct Found {
  int version = 0;
  bool somebody_elses = false;
};

std::string place(DatabaseUrl const& url) {
  auto const* sqlite = std::get_if<SqliteUrl>(&url);
  return sqlite ? sqlite->path : describe(url);
}

[[noreturn]] void refuse_newer(DatabaseUrl const& url, int version, int current) {
  throw Error(errc::newer_schema, place(url) + ": the store has schema version " + std::to_string(version) +
                                      ", this deployd is too old for it (it knows version " + std::to_string(current) +
                                      ")");
}

[[noreturn]] void refuse_foreign_store(DatabaseUrl const& url) {
  throw Error(errc::corrupt,
              place(url) + ": the database belongs to another program: it has tables, but no deployd schema version");
}

/// What `found` means for somebody who needs the current schema.
void require(DatabaseUrl const& url, Found const& found, int current) {
  if (found.somebody_elses) refuse_foreign_store(url);
  if (found.version == 0)
    throw Error(errc::missing, place(url) + ": there is no deployd schema in the store; run `deployd migrate`");
  if (found.version < current)
    throw Error(errc::older_schema, place(url) + ": the store has the older schema version " +
                                        std::to_string(found.version) + "; run `deployd migrate`");
  if (found.version > current) refuse_newer(url, found.version, current);
}

int last_version(std::span<Migration const> migrations) {
  return migrations.empty() ? 0 : migrations.back().version;
}

// --- SQLite ---------------------------------------------------------------------------------------------------------

constexpr int application_id = 0x6470'6C79;  // "dply", for file(1) and for telling others' databases apart

Found find_in_sqlite(soci::session& sql) {
  int application = 0;
  int version = 0;
  long long entries = 0;
  sql << "PRAGMA application_id", soci::into(application);
  sql << "PRAGMA user_version", soci::into(version);
  sql << "SELECT count(*) FROM sqlite_schema", soci::into(entries);
  if (application == application_id) return {version, version <= 0};
  return {0, application != 0 || version != 0 || entries != 0};
}

/// The same outside of a transaction. All is read from one snapshot: beside a migration, a glance before and one after
/// it would make a store of another program out of deployd's own.
Found find_in_sqlite_snapshot(soci::session& sql) {
  Transaction snapshot(sql, "BEGIN");
  auto const found = find_in_sqlite(sql);
  snapshot.commit();
  return found;
}

/// False where the file system cannot have one. SQLite does not wait for the lock that changing the journal takes,
/// whatever the busy timeout says, so that a migration beside this one would make it fail.
bool set_write_ahead_log(soci::session& sql) {
  auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (true) {
    try {
      std::string mode;
      sql << "PRAGMA journal_mode = WAL", soci::into(mode);
      return mode == "wal";
    } catch (soci::sqlite3_soci_error const& failure) {
      if ((failure.result() & 0xFF) != SQLITE_BUSY || std::chrono::steady_clock::now() > end) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

MigrationReport migrate_sqlite(DatabaseUrl const& url, std::span<Migration const> migrations) {
  auto const last = last_version(migrations);
  auto const session = open_session(url, Access::create);
  auto& sql = *session;
  auto found = find_in_sqlite_snapshot(sql);
  if (found.somebody_elses) refuse_foreign_store(url);
  if (found.version > last) refuse_newer(url, found.version, last);
  if (!set_write_ahead_log(sql))
    spdlog::warn("{}: no write-ahead log on this file system; writers will hold up readers", place(url));
  if (found.version == last) return {last, last};

  Transaction transaction(sql, "BEGIN IMMEDIATE");
  found = find_in_sqlite(sql);  // another process may have been here before the lock was ours
  if (found.somebody_elses) refuse_foreign_store(url);
  if (found.version > last) refuse_newer(url, found.version, last);
  for (auto const& migration : migrations) {
    if (migration.version <= found.version) continue;
    for (auto const statement : migration.sqlite) sql << statement;
  }
  sql << "PRAGMA application_id = " << application_id;
  sql << "PRAGMA user_version = " << last;
  transaction.commit();
  return {found.version, last};
}

void require_sqlite(DatabaseUrl const& url, int current) {
  auto const session = open_session(url, Access::read);
  require(url, find_in_sqlite_snapshot(*session), current);
}

// --- PostgreSQL -----------------------------------------------------------------------------------------------------

/// What the catalog says of the schema `deployd`; asking needs no privilege.
struct Catalog {
  bool schema = false;         // the schema exists
  bool usable = false;         // ... and this role may use what is in it
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

Found find_in_postgresql(soci::session& sql, DatabaseUrl const& url, Catalog const& catalog) {
  if (!catalog.version_table) return {0, catalog.tables};
  // A role that may not even read the version is a new one: it is told all that serving needs.
  if (!missing_grants(sql, {{"deployd.schema_version", "SELECT"}}).empty())
    require_privileges(sql, url,
                       {{"deployd.schema_version", "SELECT"},
                        {"deployd.patterns", "SELECT"},
                        {"deployd.deployments", "SELECT"},
                        {"deployd.api_tokens", "SELECT"}});
  Found found;
  sql << "SELECT coalesce(max(version), 0) FROM deployd.schema_version", soci::into(found.version);
  return found;
}

void warn_about_missing_tables(DatabaseUrl const& url) {
  spdlog::warn("{}: no schema 'deployd' that this role may create or use: API tokens cannot be stored or checked",
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

MigrationReport migrate_postgresql(DatabaseUrl const& url, Relations const& relations,
                                   std::span<Migration const> migrations) {
  auto const last = last_version(migrations);
  auto const session = open_session(url, Access::create);
  auto& sql = *session;
  if (relations.foreign()) require_columns(sql, url, relations);

  // Two processes that migrate at once take turns; the lock goes with the transaction.
  Transaction transaction(sql, "BEGIN");
  sql << "SELECT pg_advisory_xact_lock(hashtext('deployd schema'))";
  auto const catalog = read_catalog(sql);
  if (goes_without_tables(catalog, relations)) {
    warn_about_missing_tables(url);
    return {0, 0};
  }
  auto const found = find_in_postgresql(sql, url, catalog);
  if (found.somebody_elses) refuse_foreign_store(url);
  if (found.version > last) refuse_newer(url, found.version, last);
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

void require_postgresql(DatabaseUrl const& url, Relations const& relations, int current) {
  auto const session = open_session(url, Access::read);
  auto& sql = *session;
  if (relations.foreign()) require_columns(sql, url, relations);
  auto const catalog = read_catalog(sql);
  if (goes_without_tables(catalog, relations)) return warn_about_missing_tables(url);
  require(url, find_in_postgresql(sql, url, catalog), current);
}

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
  try {
    if (std::holds_alternative<PostgresqlUrl>(url)) return migrate_postgresql(url, relations, migrations);
    refuse_relations_on_sqlite(relations);
    return migrate_sqlite(url, migrations);
  } catch (soci::soci_error const& failure) {
    throw translate(failure, url);
  }
}

void require_current_schema(DatabaseUrl const& url, Relations const& relations) {
  try {
    if (std::holds_alternative<PostgresqlUrl>(url)) return require_postgresql(url, relations, current_schema_version());
    refuse_relations_on_sqlite(relations);
    require_sqlite(url, current_schema_version());
  } catch (soci::soci_error const& failure) {
    throw translate(failure, url);
  }
}

bool may_have_own_tables(DatabaseUrl const& url, Relations const& relations) {
  if (!relations.foreign() || !std::holds_alternative<PostgresqlUrl>(url)) return true;
  try {
    auto const session = open_session(url, Access::read);
    return !goes_without_tables(read_catalog(*session), relations);
  } catch (soci::soci_error const& failure) {
    throw translate(failure, url);
  }
}

void require_some_schema(SqliteUrl const& url) {
  try {
    auto const session = open_session(url, Access::read);
    auto const found = find_in_sqlite_snapshot(*session);
    require(url, found, found.version);
  } catch (soci::soci_error const& failure) {
    throw translate(failure, url);
  }
}

bool has_own_tables(DatabaseUrl const& url, Relations const& relations) {
  if (!relations.foreign()) return true;
  try {
    auto const session = open_session(url, Access::read);
    auto const catalog = read_catalog(*session);
    return catalog.version_table && catalog.usable;
  } catch (soci::soci_error const& failure) {
    throw translate(failure, url);
  }
}

}  // namespace deployd::storage
