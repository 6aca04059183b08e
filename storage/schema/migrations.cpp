#include "storage/schema/migrations.hpp"

#include <array>

namespace deployd::storage {
namespace {

constexpr std::array postgresql_indexes{
    NamedIndex{"deployments_by_pattern",
               "CREATE INDEX deployments_by_pattern ON deployd.deployments (pattern_id, id) INCLUDE (name)"},
    NamedIndex{"deployments_by_name",
               "CREATE INDEX deployments_by_name ON deployd.deployments (name, id) INCLUDE (pattern_id)"},
    NamedIndex{"deployments_by_pattern_and_name",
               "CREATE INDEX deployments_by_pattern_and_name ON deployd.deployments (pattern_id, name, id)"},
};

// Each combination of filters is one range of one index, in the order of id. Indexes contain all columns, so that a
// list is read from neighbouring pages without a look-up in the table for each row: on SQLite this takes half the time
// in a small store, a quarter in one of millions. There the id is the rowid, which every index has at its end:
// (pattern_id, name) is (pattern_id, name, id). On PostgreSQL that holds for pages that were vacuumed since they were
// written.
//
// Triggers on PostgreSQL notify processes that cache responses of every change; recording when a token was used changes
// no response. Names are only compared for equality: collation "C" is the fastest, and upgrades of the C library do not
// invalidate its indexes. The name of a pattern is checked at the end of a statement there (DEFERRABLE), so that an
// import can swap two.
std::vector<Migration> all_migrations() {
  return {
      {1,
       {
           "CREATE TABLE patterns (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
           "CREATE TABLE deployments (id INTEGER PRIMARY KEY, pattern_id INTEGER NOT NULL REFERENCES patterns (id), "
           "name TEXT NOT NULL) STRICT",
           "CREATE INDEX deployments_by_pattern ON deployments (pattern_id)",
           "CREATE INDEX deployments_by_name ON deployments (name)",
           "CREATE INDEX deployments_by_pattern_and_name ON deployments (pattern_id, name)",
           "CREATE TABLE api_tokens (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, "
           "hash BLOB NOT NULL UNIQUE, created INTEGER NOT NULL, expires INTEGER, last_used INTEGER, "
           "revoked INTEGER) STRICT",
       },
       {
           "CREATE TABLE deployd.patterns (id bigint PRIMARY KEY, "
           "name text COLLATE \"C\" NOT NULL CONSTRAINT patterns_name UNIQUE DEFERRABLE INITIALLY IMMEDIATE)",
           "CREATE TABLE deployd.deployments (id bigint PRIMARY KEY, pattern_id bigint NOT NULL "
           "CONSTRAINT deployments_pattern REFERENCES deployd.patterns (id) DEFERRABLE INITIALLY IMMEDIATE, "
           "name text COLLATE \"C\" NOT NULL)",
           "CREATE INDEX deployments_by_pattern ON deployd.deployments (pattern_id, id)",
           "CREATE INDEX deployments_by_name ON deployd.deployments (name, id)",
           postgresql_indexes[2].sql,
           "CREATE TABLE deployd.api_tokens (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, "
           "hash bytea NOT NULL UNIQUE, created bigint NOT NULL, expires bigint, last_used bigint, revoked bigint)",
           "CREATE FUNCTION deployd.notify_change() RETURNS trigger LANGUAGE plpgsql AS "
           "$$BEGIN PERFORM pg_catalog.pg_notify('deployd_change', TG_TABLE_NAME); RETURN NULL; END$$",
           "CREATE TRIGGER notify_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON deployd.patterns "
           "FOR EACH STATEMENT EXECUTE FUNCTION deployd.notify_change()",
           "CREATE TRIGGER notify_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON deployd.deployments "
           "FOR EACH STATEMENT EXECUTE FUNCTION deployd.notify_change()",
           "CREATE TRIGGER notify_change AFTER INSERT OR UPDATE OF id, name, hash, expires, revoked OR DELETE "
           "OR TRUNCATE ON deployd.api_tokens FOR EACH STATEMENT EXECUTE FUNCTION deployd.notify_change()",
       }},
      {2,
       {
           "DROP INDEX deployments_by_pattern",
           "CREATE INDEX deployments_by_pattern ON deployments (pattern_id, id, name)",
           "DROP INDEX deployments_by_name",
           "CREATE INDEX deployments_by_name ON deployments (name, id, pattern_id)",
       },
       {}},
      {3,
       {},
       {
           "DROP INDEX deployd.deployments_by_pattern",
           postgresql_indexes[0].sql,
           "DROP INDEX deployd.deployments_by_name",
           postgresql_indexes[1].sql,
       }},
  };
}

}  // namespace

std::span<NamedIndex const> postgresql_indexes_of_deployments() noexcept {
  return postgresql_indexes;
}

std::span<Migration const> migrations() {
  static std::vector<Migration> const all = all_migrations();
  return all;
}

}  // namespace deployd::storage
