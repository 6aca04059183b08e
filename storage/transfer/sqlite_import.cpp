#include "storage/transfer/sqlite_import.hpp"

#include <utility>
#include <vector>

#include "storage/session/session.hpp"

namespace deployd::storage {
namespace {

// Memory for pages of the store; changed pages that do not fit go to the write-ahead log. Sorting for an index takes as
// much.
constexpr int cache_kib = 64 * 1024;
constexpr int temporary_cache_kib = 8 * 1024;

// Below this number of new and changed rows the indexes are updated row by row. From there on it is faster to rebuild
// them at the end, unless the store already contains several times as many rows.
constexpr std::uint64_t least_rows_for_dropping = 20'000;
constexpr std::uint64_t rows_worth_a_new_index = 4;

// How long to try to empty the log while readers use it; the next writer empties the rest.
constexpr int shrink_patience_ms = 500;

}  // namespace

SqliteImport::SqliteImport(DatabaseUrl const& url, ImportOptions options) : ImportTarget(url, std::move(options)) {
  auto& sql = *session_;
  sql << "PRAGMA foreign_keys = OFF";
  sql << "PRAGMA cache_size = " << -cache_kib;
  sql << "PRAGMA temp.cache_size = " << -temporary_cache_kib;
  sql << "PRAGMA wal_autocheckpoint = 0";  // done at the end
  transaction_.emplace(sql, "BEGIN IMMEDIATE");
  sql << "CREATE TEMP TABLE import_rows (row INTEGER PRIMARY KEY, source INTEGER, line INTEGER, id INTEGER, "
         "pattern_id INTEGER, pattern TEXT, name TEXT)";
  stage_.emplace(sql, "INSERT INTO import_rows VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
}

SqliteImport::~SqliteImport() {
  stage_.reset();
  transaction_.reset();
  // Servers of the store take an emptied log for a commit, and drop the answers that they keep.
  if (committed_ || spilled()) shrink_log();
}

void SqliteImport::stage(std::int64_t number, ImportRow const& row) {
  stage_->bind(1, number);
  stage_->bind(2, std::int64_t{row.place.source});
  stage_->bind(3, static_cast<std::int64_t>(row.place.line));
  stage_->bind(4, row.id);
  stage_->bind_null(5);
  if (row.pattern_id) stage_->bind(5, *row.pattern_id);
  stage_->bind_null(6);
  if (row.pattern) stage_->bind(6, *row.pattern);
  stage_->bind(7, row.name);
  stage_->run();
}

std::uint64_t SqliteImport::execute(std::string const& sql) {
  *session_ << sql;
  return static_cast<std::uint64_t>(sqlite_api::sqlite3_changes64(sqlite_handle(*session_)));
}

/// Deletes these patterns for now: two of them may swap their names, and SQLite checks every row immediately.
void SqliteImport::release_names() {
  execute(
      "DELETE FROM patterns WHERE EXISTS (SELECT 1 FROM import_patterns s WHERE s.id = patterns.id AND s.name <> "
      "patterns.name)");
}

/// True if it is faster to rebuild the indexes of the deployments than to update them.
bool SqliteImport::rebuilds_indexes() {
  auto const written = changes_.deployments.added + changes_.deployments.updated;
  auto const most = written * rows_worth_a_new_index;
  if (written < least_rows_for_dropping) return false;
  long long rows = 0;
  *session_ << "SELECT count(*) FROM (SELECT 1 FROM deployments LIMIT " << most + 1 << ")", soci::into(rows);
  return static_cast<std::uint64_t>(rows) <= most;
}

void SqliteImport::write() {
  std::vector<std::string> indexes;
  if (rebuilds_indexes()) {
    std::vector<std::string> names;
    SqliteStatement found(*session_,
                          "SELECT name, sql FROM main.sqlite_schema WHERE type = 'index' AND tbl_name = 'deployments' "
                          "AND sql IS NOT NULL ORDER BY rowid");
    while (found.next()) {
      names.emplace_back(found.text(1));
      indexes.emplace_back(found.text(2));
    }
    for (auto const& name : names) execute("DROP INDEX main.\"" + name + '"');
  }
  write_deployments();
  for (auto const& sql : indexes) execute(sql);
}

void SqliteImport::commit() {
  transaction_->commit();
  committed_ = true;
}

/// True if changed pages did not fit into memory: they are in the log, also after a rollback.
bool SqliteImport::spilled() noexcept {
  int pages = 0;
  int most = 0;
  sqlite_api::sqlite3_db_status(sqlite_handle(*session_), SQLITE_DBSTATUS_CACHE_SPILL, &pages, &most, 0);
  return pages > 0;
}

void SqliteImport::shrink_log() noexcept {
  auto* const database = sqlite_handle(*session_);
  sqlite_api::sqlite3_busy_timeout(database, shrink_patience_ms);
  sqlite_api::sqlite3_exec(database, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr);
}

}  // namespace deployd::storage
