#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <string>
#include <thread>

#include "storage/schema/found_schema.hpp"
#include "storage/session/session.hpp"
#include "storage/transaction.hpp"

namespace deployd::storage {
namespace {

constexpr int application_id = 0x6470'6C79;  // "dply", for file(1) and to recognise databases of other programs

FoundSchema find_in_sqlite(soci::session& sql) {
  int application = 0;
  int version = 0;
  long long entries = 0;
  sql << "PRAGMA application_id", soci::into(application);
  sql << "PRAGMA user_version", soci::into(version);
  sql << "SELECT count(*) FROM sqlite_schema", soci::into(entries);
  if (application == application_id) return {version, version <= 0};
  return {0, application != 0 || version != 0 || entries != 0};
}

/// The same outside of a transaction. Everything is read from one snapshot: with reads before and after a concurrent
/// migration, deployd's own store would look like one of another program.
FoundSchema find_in_sqlite_snapshot(soci::session& sql) {
  Transaction snapshot(sql, "BEGIN");
  auto const found = find_in_sqlite(sql);
  snapshot.commit();
  return found;
}

/// Returns false if the file system does not support it. SQLite does not wait for the lock that changing the journal
/// mode takes, whatever the busy timeout is, so that a concurrent migration would make it fail.
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

}  // namespace

MigrationReport migrate_sqlite(SqliteUrl const& url, std::span<Migration const> migrations) {
  auto const last = last_version(migrations);
  auto const session = open_session(url, Access::create);
  auto& sql = *session;
  auto found = find_in_sqlite_snapshot(sql);
  require_upgradable(url, found, last);
  if (!set_write_ahead_log(sql))
    spdlog::warn("{}: this file system does not support a write-ahead log; writers will block readers", place(url));
  if (found.version == last) return {last, last};

  Transaction transaction(sql, "BEGIN IMMEDIATE");
  found = find_in_sqlite(sql);  // another process may have migrated before we got the lock
  require_upgradable(url, found, last);
  for (auto const& migration : migrations) {
    if (migration.version <= found.version) continue;
    for (auto const statement : migration.sqlite) sql << statement;
  }
  sql << "PRAGMA application_id = " << application_id;
  sql << "PRAGMA user_version = " << last;
  transaction.commit();
  return {found.version, last};
}

FoundSchema find_in_sqlite(SqliteUrl const& url) {
  return find_in_sqlite_snapshot(*open_session(url, Access::read));
}

}  // namespace deployd::storage
