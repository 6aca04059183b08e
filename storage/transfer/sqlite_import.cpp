#include "storage/transfer/sqlite_import.hpp"

#include <algorithm>
#include <utility>

#include "storage/error.hpp"
#include "storage/session/session.hpp"

namespace deployd::storage {
namespace {

// Memory for pages of the store; changed pages that do not fit go to the write-ahead log. Sorting for an index takes as
// much.
constexpr int cache_kib = 64 * 1024;
constexpr int temporary_cache_kib = 8 * 1024;

constexpr std::size_t known_patterns_bits = 15;
constexpr std::size_t most_known_names = 16 * 1024;
constexpr std::size_t max_known_name_bytes = 1024;  // longer ones are looked up each time

// Below this number the indexes are updated row by row. From there on it is faster to rebuild them at the end, unless
// the store already contains several times as many rows.
constexpr std::int64_t least_rows_for_dropping = 20'000;
constexpr std::int64_t rows_worth_a_new_index = 4;

// How long to try to empty the log while readers use it; the next writer empties the rest.
constexpr int shrink_patience_ms = 500;

std::size_t slot_of(std::int64_t id) noexcept {
  return static_cast<std::size_t>((static_cast<std::uint64_t>(id) * 0x9E37'79B9'7F4A'7C15U) >>
                                  (64 - known_patterns_bits));
}

// Skips rows that already exist unchanged.
constexpr char const* or_update =
    " ON CONFLICT (id) DO UPDATE SET pattern_id = excluded.pattern_id, name = excluded.name "
    "WHERE pattern_id <> excluded.pattern_id OR name <> excluded.name";

// A pattern of the store whose name a pattern of the import takes over.
constexpr char const* of_replaced_pattern =
    "id IN (SELECT id FROM temp.import_replaced) AND id NOT IN (SELECT id FROM temp.import_patterns) "
    "AND name IN (SELECT name FROM temp.import_patterns)";

}  // namespace

SqliteImport::SqliteImport(DatabaseUrl const& url, ImportOptions const& options)
    : options_(options),
      session_(open_session(url, Access::write)),
      known_patterns_(std::size_t{1} << known_patterns_bits),
      consider_dropping_at_(least_rows_for_dropping) {
  auto& sql = *session_;
  sql << "PRAGMA foreign_keys = OFF";
  sql << "PRAGMA cache_size = " << -cache_kib;
  sql << "PRAGMA temp.cache_size = " << -temporary_cache_kib;
  sql << "PRAGMA wal_autocheckpoint = 0";  // done at the end
  transaction_.emplace(sql, "BEGIN IMMEDIATE");
  sql << "CREATE TEMP TABLE import_patterns (id INTEGER PRIMARY KEY, name TEXT NOT NULL, row INTEGER NOT NULL, "
         "source INTEGER NOT NULL, line INTEGER NOT NULL)";
  sql << "CREATE TEMP TABLE import_unknown (pattern_id INTEGER PRIMARY KEY, deployment_id INTEGER NOT NULL, "
         "row INTEGER NOT NULL, source INTEGER NOT NULL, line INTEGER NOT NULL)";
  sql << "CREATE TEMP TABLE import_names (ref INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, pattern_id INTEGER, "
         "deployment_id INTEGER NOT NULL, row INTEGER NOT NULL, source INTEGER NOT NULL, line INTEGER NOT NULL)";
  sql << "CREATE TEMP TABLE import_staged (row INTEGER PRIMARY KEY, id INTEGER NOT NULL, pattern_id INTEGER, "
         "ref INTEGER, name TEXT NOT NULL)";
  put_pattern_ =
      std::make_unique<SqliteStatement>(sql, std::string(options_.refuses_second_row ? "INSERT OR IGNORE" : "REPLACE") +
                                                 " INTO temp.import_patterns VALUES (?1, ?2, ?3, ?4, ?5)");
  put_deployment_ = std::make_unique<SqliteStatement>(
      sql, std::string("INSERT INTO main.deployments (id, pattern_id, name) VALUES (?1, ?2, ?3)") + or_update);
  find_pattern_ = std::make_unique<SqliteStatement>(
      sql, std::string(options_.replaces_all() ? "" : "SELECT 1 FROM main.patterns WHERE id = ?1 UNION ALL ") +
               "SELECT 1 FROM temp.import_patterns WHERE id = ?1 LIMIT 1");
  note_unknown_ =
      std::make_unique<SqliteStatement>(sql, "INSERT OR IGNORE INTO temp.import_unknown VALUES (?1, ?2, ?3, ?4, ?5)");
  if (options_.replaces_patterns()) note_replaced_patterns();
  if (!options_.counts_changes()) return;
  sql << "CREATE TEMP TABLE import_touched (id INTEGER PRIMARY KEY, pattern_id INTEGER, name TEXT)";
  note_touched_ = std::make_unique<SqliteStatement>(
      sql,
      "INSERT OR IGNORE INTO temp.import_touched SELECT ?1, d.pattern_id, d.name FROM (SELECT 1) LEFT JOIN "
      "main.deployments d ON d.id = ?1");
}

SqliteImport::~SqliteImport() {
  for (auto* const statement : {&put_pattern_, &put_deployment_, &find_pattern_, &note_unknown_, &note_touched_,
                                &note_name_, &find_name_, &stage_})
    statement->reset();
  transaction_.reset();
  // Servers of the store take an emptied log for a commit, and drop the answers that they keep.
  if (committed_ || spilled()) shrink_log();
}

/// Records the ids that the patterns of `ImportOptions::only_patterns` have now. Those of the import are added later.
void SqliteImport::note_replaced_patterns() {
  *session_ << "CREATE TEMP TABLE import_replaced (id INTEGER PRIMARY KEY)";
  SqliteStatement note(*session_, "INSERT INTO temp.import_replaced SELECT id FROM main.patterns WHERE name = ?1");
  for (auto const& name : options_.only_patterns) {
    note.bind(1, name);
    note.run();
  }
}

/// Returns the number of rows that the last statement wrote.
std::int64_t SqliteImport::rows_changed() {
  return sqlite_api::sqlite3_changes64(sqlite_handle(*session_));
}

/// Binds the number of the row, its source and its line, in this order, from the third parameter on.
void SqliteImport::bind_place(SqliteStatement& statement, RowPlace place) noexcept {
  statement.bind(3, row_);
  statement.bind(4, std::int64_t{place.source});
  statement.bind(5, static_cast<std::int64_t>(place.line));
}

void SqliteImport::pattern(RowPlace place, std::int64_t id, std::string_view name) {
  auto& put = *put_pattern_;
  put.bind(1, id);
  put.bind(2, name);
  ++row_;
  bind_place(put, place);
  put.run();
  if (options_.refuses_second_row && rows_changed() == 0) throw SecondRow(place, "pattern", id);
}

void SqliteImport::deployment(RowPlace place, std::int64_t id, std::int64_t pattern_id, std::string_view name) {
  ++row_;
  if (!knows_pattern(pattern_id)) note_pattern(place, id, pattern_id);
  if (stage_) return stage(id, pattern_id, 0, name);
  put(place, id, pattern_id, name);
}

void SqliteImport::deployment_of(RowPlace place, std::int64_t id, std::string_view pattern, std::string_view name) {
  ++row_;
  if (!stage_) begin_staging();
  stage(id, std::nullopt, ref_of(place, id, pattern), name);
}

/// Records a pattern that does not exist yet, and the first deployment that refers to it.
void SqliteImport::note_pattern(RowPlace place, std::int64_t id, std::int64_t pattern_id) {
  note_unknown_->bind(1, pattern_id);
  note_unknown_->bind(2, id);
  bind_place(*note_unknown_, place);
  note_unknown_->run();
}

void SqliteImport::put(RowPlace place, std::int64_t id, std::int64_t pattern_id, std::string_view name) {
  if (note_touched_) {
    note_touched_->bind(1, id);
    note_touched_->run();
    if (options_.refuses_second_row && rows_changed() == 0) throw SecondRow(place, "deployment", id);
  }
  put_deployment_->bind(1, id);
  put_deployment_->bind(2, pattern_id);
  put_deployment_->bind(3, name);
  put_deployment_->run();
  written_ += rows_changed();
  if (written_ >= consider_dropping_at_ && dropped_.empty()) consider_dropping_indexes();
}

void SqliteImport::begin_staging() {
  note_name_ = std::make_unique<SqliteStatement>(
      *session_,
      "INSERT OR IGNORE INTO temp.import_names (name, deployment_id, row, source, line) VALUES (?1, ?2, ?3, ?4, ?5)");
  find_name_ = std::make_unique<SqliteStatement>(*session_, "SELECT ref FROM temp.import_names WHERE name = ?1");
  stage_ = std::make_unique<SqliteStatement>(*session_, "INSERT INTO temp.import_staged VALUES (?1, ?2, ?3, ?4, ?5)");
}

/// Returns the number of a pattern's name. A name is stored with the first deployment that uses it.
std::int64_t SqliteImport::ref_of(RowPlace place, std::int64_t id, std::string_view pattern) {
  std::string name(pattern);
  if (auto const known = known_names_.find(name); known != known_names_.end()) return known->second;
  note_name_->bind(1, pattern);
  note_name_->bind(2, id);
  bind_place(*note_name_, place);
  note_name_->run();
  find_name_->bind(1, pattern);
  find_name_->next();
  auto const ref = find_name_->integer(1);
  find_name_->reset();
  if (known_names_.size() >= most_known_names) known_names_.clear();
  if (pattern.size() <= max_known_name_bytes) known_names_.emplace(std::move(name), ref);
  return ref;
}

/// Either `pattern_id` or `ref` identifies the pattern.
void SqliteImport::stage(std::int64_t id, std::optional<std::int64_t> pattern_id, std::int64_t ref,
                         std::string_view name) {
  stage_->bind(1, row_);
  stage_->bind(2, id);
  if (pattern_id)
    stage_->bind(3, *pattern_id);
  else
    stage_->bind_null(3);
  stage_->bind(4, ref);
  stage_->bind(5, name);
  stage_->run();
}

bool SqliteImport::knows_pattern(std::int64_t id) {
  auto& slot = known_patterns_[slot_of(id)];
  if (slot == id) return true;
  find_pattern_->bind(1, id);
  ResetAtEnd const reset(*find_pattern_);
  if (!find_pattern_->next()) return false;
  slot = id;
  return true;
}

void SqliteImport::consider_dropping_indexes() {
  auto const most = written_ * rows_worth_a_new_index;
  SqliteStatement count(*session_, "SELECT count(*) FROM (SELECT 1 FROM main.deployments LIMIT ?1)");
  count.bind(1, most + 1);
  count.next();
  auto const rows = count.integer(1);
  count.reset();
  if (rows > most) {
    consider_dropping_at_ = written_ * 2;
    return;
  }
  SqliteStatement indexes(*session_,
                          "SELECT name, sql FROM main.sqlite_schema WHERE type = 'index' AND tbl_name = 'deployments' "
                          "AND sql IS NOT NULL ORDER BY rowid");
  while (indexes.next()) dropped_.push_back({std::string(indexes.text(1)), std::string(indexes.text(2))});
  for (auto const& index : dropped_) *session_ << "DROP INDEX main.\"" + index.name + '"';
}

void SqliteImport::check() {
  if (options_.counts_changes()) count_pattern_changes();
  write_patterns();
  *session_ << "UPDATE temp.import_names SET pattern_id = (SELECT id FROM main.patterns p WHERE p.name = "
               "import_names.name)";
  require_patterns_of_deployments();
  if (stage_) write_staged();
  if (options_.replace) delete_others();
  if (options_.counts_changes()) count_deployment_changes();
}

/// Writes the patterns. First removes the names of all patterns in the import, so that every name is then either free
/// or belongs to another pattern.
void SqliteImport::write_patterns() {
  if (options_.replaces_patterns()) *session_ << std::string("DELETE FROM main.patterns WHERE ") + of_replaced_pattern;
  *session_ << std::string("DELETE FROM main.patterns") +
                   (options_.replaces_all() ? "" : " WHERE id IN (SELECT id FROM temp.import_patterns)");
  SqliteStatement staged(*session_, "SELECT id, name, source, line FROM temp.import_patterns ORDER BY row");
  SqliteStatement insert(*session_, "INSERT OR IGNORE INTO main.patterns (id, name) VALUES (?1, ?2)");
  while (staged.next()) {
    std::string const name(staged.text(2));
    insert.bind(1, staged.integer(1));
    insert.bind(2, name);
    insert.run();
    if (rows_changed() == 0)
      refuse_taken_name({static_cast<std::uint32_t>(staged.integer(3)), static_cast<std::uint64_t>(staged.integer(4))},
                        staged.integer(1), name);
  }
}

void SqliteImport::refuse_taken_name(RowPlace place, std::int64_t id, std::string const& name) {
  SqliteStatement owner(*session_, "SELECT id FROM main.patterns WHERE name = ?1");
  owner.bind(1, name);
  owner.next();
  throw TakenName(place, id, name, owner.integer(1));
}

void SqliteImport::require_patterns_of_deployments() {
  SqliteStatement first(
      *session_,
      "SELECT source, line, deployment_id, pattern_id, NULL, row FROM temp.import_unknown WHERE NOT EXISTS "
      "(SELECT 1 FROM main.patterns WHERE id = pattern_id) UNION ALL "
      "SELECT source, line, deployment_id, NULL, name, row FROM temp.import_names WHERE pattern_id IS NULL "
      "ORDER BY row LIMIT 1");
  if (!first.next()) return;
  RowPlace const place{static_cast<std::uint32_t>(first.integer(1)), static_cast<std::uint64_t>(first.integer(2))};
  if (first.null(4)) throw UnknownPatternName(place, first.integer(3), first.text(5));
  throw UnknownPattern(place, first.integer(3), first.integer(4));
}

void SqliteImport::write_staged() {
  SqliteStatement count(*session_, "SELECT count(*) FROM temp.import_staged");
  count.next();
  written_ += count.integer(1);
  count.reset();
  if (written_ >= consider_dropping_at_ && dropped_.empty()) consider_dropping_indexes();
  if (note_touched_)
    *session_ << "INSERT OR IGNORE INTO temp.import_touched SELECT s.id, d.pattern_id, d.name "
                 "FROM temp.import_staged s LEFT JOIN main.deployments d ON d.id = s.id";
  SqliteStatement write(*session_,
                        std::string("INSERT INTO main.deployments (id, pattern_id, name) "
                                    "SELECT s.id, coalesce(s.pattern_id, n.pattern_id), s.name "
                                    "FROM temp.import_staged s LEFT JOIN temp.import_names n ON n.ref = s.ref "
                                    "WHERE true ORDER BY s.row") +
                            or_update);
  write.run();
}

void SqliteImport::delete_others() {
  SqliteStatement remove(
      *session_, std::string("DELETE FROM main.deployments WHERE id NOT IN (SELECT id FROM temp.import_touched)") +
                     (options_.replaces_all() ? ""
                                              : " AND pattern_id IN (SELECT id FROM temp.import_replaced UNION "
                                                "SELECT id FROM temp.import_patterns)"));
  remove.run();
  changes_.deployments.deleted = static_cast<std::uint64_t>(rows_changed());
}

/// Must be called before the patterns are written.
void SqliteImport::count_pattern_changes() {
  count(
      "SELECT count(*) FILTER (WHERE p.id IS NULL), count(*) FILTER (WHERE p.name <> s.name), "
      "count(*) FILTER (WHERE p.name = s.name) FROM temp.import_patterns s LEFT JOIN main.patterns p ON p.id = s.id",
      changes_.patterns);
  if (!options_.replace) return;
  SqliteStatement others(*session_, std::string("SELECT count(*) FROM main.patterns WHERE ") +
                                        (options_.replaces_all() ? "id NOT IN (SELECT id FROM temp.import_patterns)"
                                                                 : of_replaced_pattern));
  others.next();
  changes_.patterns.deleted = static_cast<std::uint64_t>(others.integer(1));
}

/// Must be called after all deployments are written.
void SqliteImport::count_deployment_changes() {
  count(
      "SELECT count(*) FILTER (WHERE t.pattern_id IS NULL), "
      "count(*) FILTER (WHERE t.pattern_id <> d.pattern_id OR t.name <> d.name), "
      "count(*) FILTER (WHERE t.pattern_id = d.pattern_id AND t.name = d.name) "
      "FROM temp.import_touched t JOIN main.deployments d ON d.id = t.id",
      changes_.deployments);
}

void SqliteImport::count(std::string const& sql, RowChanges& changes) {
  SqliteStatement statement(*session_, sql);
  statement.next();
  changes.added = static_cast<std::uint64_t>(statement.integer(1));
  changes.updated = static_cast<std::uint64_t>(statement.integer(2));
  changes.unchanged = static_cast<std::uint64_t>(statement.integer(3));
}

void SqliteImport::build_indexes() {
  for (auto const& index : dropped_) *session_ << index.sql;
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
